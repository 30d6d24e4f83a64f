"""The contract: types, inputs, payloads and their descriptions. Nested fields ask the loaders."""
