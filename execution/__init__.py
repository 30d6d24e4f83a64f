"""GraphQL requests executed on any graphql-core schema: no transport, no application."""
