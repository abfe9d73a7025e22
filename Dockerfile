# syntax=docker/dockerfile:1

# The toolchain is go.mod's. The build runs on the builder's machine, whatever it builds for.
FROM --platform=$BUILDPLATFORM golang:1.27.4 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags="-s -w" -o /out/atmcpd ./cmd/atmcpd \
    && mkdir -m 0700 /out/data

# Nothing but the program, what it needs to check certificates of others, and a directory that its user owns. A new
# named volume takes over the owner; for a directory of the host: chown 65532:65532.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/atmcpd /usr/local/bin/atmcpd
COPY --from=build --chown=65532:65532 /out/data /data
ENV PATH=/usr/local/bin ATMCP_ADDR=0.0.0.0:8000 ATMCP_DATA_DIR=/data
USER 65532:65532
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["/usr/local/bin/atmcpd", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/atmcpd"]
