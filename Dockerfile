# Svodka in one container: SQLite and recordings in /data, everything else read-only and not root's.
# Speech recognised here instead of by a service: docker build --build-arg LOCK=demo .

FROM python:3.11-slim-bookworm AS build
ARG LOCK=run
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv /opt/svodka
COPY requirements/${LOCK}.txt requirements/
RUN /opt/svodka/bin/pip install --require-hashes --only-binary :all: --requirement requirements/${LOCK}.txt
COPY pyproject.toml README.md LICENSE ./
COPY alembic alembic
COPY domain domain
COPY storage storage
COPY integrations integrations
COPY handlers handlers
COPY bot bot
COPY sandbox sandbox
RUN /opt/svodka/bin/pip install --no-deps --no-build-isolation . \
    && /opt/svodka/bin/pip uninstall --yes hatchling editables trove-classifiers pathspec pluggy setuptools pip

FROM python:3.11-slim-bookworm
RUN groupadd --system --gid 10001 svodka \
    && useradd --system --uid 10001 --gid svodka --home-dir /data --shell /usr/sbin/nologin svodka \
    && install --directory --owner svodka --group svodka --mode 0750 /data
COPY --from=build /opt/svodka /opt/svodka
ENV PATH=/opt/svodka/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HTTP_HOST=0.0.0.0 DATA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, http.client as h; e = os.environ; c = h.HTTPConnection('127.0.0.1', int(e.get('HTTP_PORT') or e.get('PORT') or 8080), timeout=4); c.request('GET', '/api/health'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["svodka"]
CMD ["run"]
