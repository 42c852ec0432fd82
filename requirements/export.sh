#!/bin/sh
# uv.lock as files that plain pip installs: exact versions, hashes of every platform's file, no index address.
set -eu
cd "$(dirname "$0")/.."

export_to() {
    file=$1
    shift
    {
        echo "# Made by make lock from uv.lock; change pyproject.toml instead."
        uv export --quiet --frozen --no-emit-project --no-header --no-default-groups --group build "$@" |
            grep -vE '^(-i|--index-url|--extra-index-url|--find-links)'
    } >"requirements/$file"
}

export_to run.txt
export_to demo.txt --extra local
export_to dev.txt --group dev
