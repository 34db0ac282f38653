# The image of the service. Built with `docker build --tag dosing-service .`; it runs with a read-only root file system,
# without capabilities and as any user:
#   docker run --read-only --cap-drop ALL --publish 127.0.0.1:8080:8080 dosing-service

# The minor version of Python is the one the tests run under; raise both together. A tag can be moved to another image:
# where a build must be repeatable to the byte, pin the digest here, once for both stages, as
# python:3.11-slim-bookworm@sha256:... with the value that `docker buildx imagetools inspect python:3.11-slim-bookworm`
# prints. None is given here, because a digest that was never looked up would be worse than none.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# ---- Builder: everything is installed into /opt/venv, which is all that the second stage takes from here.
FROM ${PYTHON_IMAGE} AS builder

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

WORKDIR /build

# The lock file alone first: this layer is built again only when a dependency changes. Every file is checked against its
# hash, and only wheels are taken, so nothing is compiled and no package runs a script while it is installed.
COPY requirements.lock ./
RUN python -m venv /opt/venv \
    && /opt/venv/bin/python -m pip install --require-hashes --only-binary :all: --requirement requirements.lock

# The service itself is built from the locked setuptools, without a network. Then the tools of installing go: what is
# not in the image cannot be misused in it.
COPY pyproject.toml ./
COPY schemas ./schemas
COPY dosing_service ./dosing_service
RUN /opt/venv/bin/python -m pip install --no-index --no-deps --no-build-isolation . \
    && /opt/venv/bin/python -m pip uninstall --yes setuptools pip

# ---- The image that runs.
FROM ${PYTHON_IMAGE}

# HOST: inside a container, loopback would be reachable by nobody. PYTHONDONTWRITEBYTECODE: the root file system may be
# read-only, and the byte code was written when the packages were installed. PYTHONUNBUFFERED: the last line before a
# crash is logged too.
ENV PATH=/opt/venv/bin:$PATH \
    HOST=0.0.0.0 \
    PORT=8080 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

WORKDIR /app

COPY --from=builder /opt/venv /opt/venv
COPY gunicorn.conf.py ./

# A number, not a name: Kubernetes can check `runAsNonRoot` only then. Nothing in the image belongs to this user.
USER 10001:10001

EXPOSE 8080

# /livez asks whether the process answers; whether it should be sent requests is /readyz, which the platform asks. The
# proxy settings of the environment are ignored, because the question never leaves the container.
HEALTHCHECK --interval=30s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open(f\"http://127.0.0.1:{os.environ['PORT']}/livez\", timeout=2)"]

# In exec form gunicorn is process 1 and receives the SIGTERM that asks it to finish and stop.
ENTRYPOINT ["gunicorn", "--config", "gunicorn.conf.py"]
CMD ["dosing_service.wsgi:application()"]
