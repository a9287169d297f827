# One image for both roles: CHENGXIN_ROLE says whether it is a member's node or the association's hub.
FROM python:3.12-slim AS build
WORKDIR /build
RUN python -m venv /opt/chengxin
COPY requirements.lock ./
# Each file is checked against its hash, and none is built from source: a build would fetch tools no lock names.
RUN /opt/chengxin/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY protocol ./protocol
COPY schemas ./schemas
COPY node ./node
RUN /opt/chengxin/bin/pip install --no-cache-dir --no-deps --no-index --no-build-isolation .

FROM python:3.12-slim
COPY --from=build /opt/chengxin /opt/chengxin
COPY --chmod=0755 docker/start /usr/local/bin/start
# The folders exist in the image with their owner, so that a new volume on them is the user's.
RUN useradd --system --uid 10001 --home-dir /var/lib/chengxin --shell /usr/sbin/nologin chengxin \
 && install -d -o chengxin -g chengxin -m 0700 /var/lib/chengxin \
 && install -d -o chengxin -g chengxin -m 0755 /var/lib/chengxin-federation
ENV PATH=/opt/chengxin/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CHENGXIN_HOME=/var/lib/chengxin \
    CHENGXIN_HOST=0.0.0.0 \
    CHENGXIN_PORT=8440
USER chengxin
WORKDIR /var/lib/chengxin
VOLUME /var/lib/chengxin
EXPOSE 8440
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=5 \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['CHENGXIN_PORT'] + '/readyz', timeout=4)"]
ENTRYPOINT ["start"]
