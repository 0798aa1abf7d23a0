"""Authentication: by the plain token, by keys of programs, and by tokens of an OpenID Connect issuer."""
