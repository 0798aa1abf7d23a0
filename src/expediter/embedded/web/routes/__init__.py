"""Operations of openapi.json that are this server's own: each is a function of the server and a request."""
