"""Who asks: the plain token, keys of programs, and tokens of an OpenID Connect issuer."""
