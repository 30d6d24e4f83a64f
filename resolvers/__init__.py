"""Root fields: who may, which service, mapping to types. And the schema they make up."""
