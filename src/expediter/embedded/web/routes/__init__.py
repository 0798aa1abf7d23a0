"""Operations of openapi.json that only this server has. Each is a function of the server and a request."""
