# The binary alone, as an unprivileged user; compose.yaml makes its file system read-only.
FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm python3 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN make dist

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/dist/myproof-registry /usr/local/bin/myproof-registry
USER 65532:65532
ENV LEPTOS_SITE_ADDR=0.0.0.0:3000 METRICS_ADDR=0.0.0.0:9464 LOG_FORMAT=json
EXPOSE 3000 9464
ENTRYPOINT ["myproof-registry"]
CMD ["serve"]
