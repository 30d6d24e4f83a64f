"""The contract: types, inputs, payloads, descriptions. Nested fields look up many at once."""
