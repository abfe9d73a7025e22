#!/bin/sh
# Builds the server and runs it here, with the settings of .env if there is one; what stands in the environment
# already wins over it. Arguments go to atmcpd: ./run_local.sh --addr 127.0.0.1:9000
set -eu
cd "$(dirname "$0")"

# .env is read, not run: NAME=value, a pair of quotes around the value at most.
if [ -f .env ]; then
  while IFS= read -r line || [ -n "$line" ]; do
    name=${line%%=*} value=${line#*=}
    case $name in
      "$line" | "" | *[!A-Z0-9_]* | [0-9]*) continue ;; # an empty line, a comment, or no setting
    esac
    case $value in
      \"*\") value=${value#?} value=${value%?} ;;
      \'*\') value=${value#?} value=${value%?} ;;
    esac
    eval "[ -n \"\${$name+set}\" ]" || export "$name=$value"
  done <.env
fi

# Not go run, which would not pass on the signals of whoever stops this.
go build -o bin/atmcpd ./cmd/atmcpd
exec bin/atmcpd "$@"
