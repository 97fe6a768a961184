# The service with the starter stack, and all it needs: nothing is fetched when it runs.
#   docker build --tag deixis .
#   docker run --read-only --tmpfs /tmp --env DEIXIS_TOKEN --publish 127.0.0.1:8000:8000 deixis
# Pin the base to a digest where builds have to repeat: --build-arg PYTHON=python@sha256:...
ARG PYTHON=python:3.11-slim

FROM ${PYTHON} AS build
ARG EXTRAS=starter,media,serve
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
# llama.cpp's threads; the loader of the base has no libgomp.
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/deixis/venv && /opt/deixis/venv/bin/pip install --constraint requirements.lock pip
ENV PATH=/opt/deixis/venv/bin:$PATH
COPY pyproject.toml README.md LICENSE ./
COPY deixis deixis
RUN pip wheel --no-deps --build-constraint requirements.lock --wheel-dir dist .
RUN pip install --constraint requirements.lock "$(echo dist/deixis-*.whl)[${EXTRAS}]"
ENV DEIXIS_CACHE=/opt/deixis/cache
RUN python -c "from deixis.apps import weights; from deixis.graphs.build import toolbox_of; from deixis.settings import Settings; weights.fetch(toolbox_of(Settings.load('starter')), shown=False)"
RUN deixis doctor
# Answers of language models are the one thing that is written: they have a place of their own.
RUN ln -s /var/cache/deixis /opt/deixis/cache/llm

FROM ${PYTHON}
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 deixis && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin deixis \
    && install --directory --owner 10001 --group 10001 --mode 700 /var/cache/deixis
COPY --from=build /opt/deixis /opt/deixis
# One heap for all threads: what one has freed, the next one takes, so memory stays as it is.
ENV PATH=/opt/deixis/venv/bin:$PATH DEIXIS_CACHE=/opt/deixis/cache HOME=/tmp PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=1
USER 10001:10001
WORKDIR /tmp
VOLUME /var/cache/deixis
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:8000/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["deixis", "serve", "--host", "0.0.0.0", "--port", "8000"]
