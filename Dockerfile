# One image for every process of the desk; the command says which.
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements/run.txt requirements/run.txt
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt

FROM python:3.11-slim
RUN useradd --uid 10001 --create-home kfweb && mkdir /data && chown kfweb:kfweb /data
WORKDIR /app
COPY --from=build /venv /venv
COPY --chown=root:root . .
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 KFWEB_DATA_DIR=/data
USER kfweb
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["daphne", "-b", "0.0.0.0", "-p", "8000", "--no-server-name", "--proxy-headers", "kfweb.asgi:application"]
