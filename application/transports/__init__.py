"""The protocols that carry GraphQL: HTTP, Server-Sent Events, WebSocket."""
