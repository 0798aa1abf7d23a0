# The server in a container: docker build -t expediter . && docker run -p 127.0.0.1:8080:8080 -v orders:/data \
#   -e EXPEDITER_TOKEN="$(python3 -c 'import secrets; print(secrets.token_urlsafe(32))')" --read-only expediter
FROM python:3.13-slim-bookworm AS build
WORKDIR /build
COPY requirements/run.txt requirements/
RUN python -m venv /opt/expediter \
 && /opt/expediter/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir wheels . \
 && /opt/expediter/bin/pip install --no-cache-dir --no-deps --no-index wheels/*.whl

FROM python:3.13-slim-bookworm
COPY --from=build /opt/expediter /opt/expediter
RUN useradd --system --uid 10001 --home-dir /data --create-home expediter && chmod 700 /data
USER 10001
VOLUME /data
WORKDIR /data
# Nothing is written outside /data: the root may be read-only. Listening for others, the server does not start without
# EXPEDITER_TOKEN (or EXPEDITER_TOKEN_FILE), or an issuer.
ENV PATH=/opt/expediter/bin:$PATH PYTHONDONTWRITEBYTECODE=1 EXPEDITER_DATA=/data EXPEDITER_HOST=0.0.0.0
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/readyz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["expediter"]
CMD ["serve"]
