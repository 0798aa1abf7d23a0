"""The HTTP server: the application, HTTP/1.1, GraphQL, the console."""
