# One image, two commands: `serve` (the API) and `keep` (the keeper). See docker-compose.yml.

FROM python:3.13-slim-bookworm AS build
WORKDIR /build
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/register \
 && /opt/register/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock \
 && /opt/register/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-build.lock
COPY . .
RUN /opt/register/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.13-slim-bookworm
RUN groupadd --gid 10001 register \
 && useradd --uid 10001 --gid register --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin register \
 && install -d -m 0700 -o register -g register /var/lib/register /var/lib/register/home /var/lib/register/keys
COPY --from=build /opt/register /opt/register
ENV PATH=/opt/register/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    THEME_REGISTER_HOME=/var/lib/register/home \
    THEME_REGISTER_KEYS=/var/lib/register/keys
USER 10001:10001
VOLUME ["/var/lib/register/home", "/var/lib/register/keys"]
ENTRYPOINT ["theme-register"]
CMD ["serve"]
