#!/bin/sh
# Vuelve a bloquear los requisitos a partir de pyproject.toml, con los hashes que publica el registro.
#
#   requisitos/actualizar.sh              sólo lo que pyproject.toml obligue a cambiar
#   requisitos/actualizar.sh --upgrade    todo a lo más nuevo (las demás opciones de uv también valen)
#
# Necesita uv (python3 -m pip install uv); quien instala el producto no lo necesita.
# parquet.txt contiene a servicio.txt, y pruebas.txt a los dos, con las mismas versiones: comparten .venv. Los de clientes.txt no
# son compatibles con los nuestros y tienen el suyo, como los de cloudevents.txt y sdk.txt (tests/apoyo/instalados.py); los
# de rivales.txt se instalan aparte (rendimiento/rivales). Lo de npm se bloquea en tests/apoyo/*/package-lock.json, con
# npm install --omit-lockfile-registry-resolved; lo de Go, en rendimiento/rivales/benthos/go.sum, con go mod tidy.
set -eu
cd -- "$(dirname -- "$0")/.."

bloquear() {
    salida=$1
    shift
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-config \
        --no-emit-index-url --no-emit-find-links --custom-compile-command requisitos/actualizar.sh \
        --output-file "requisitos/$salida" "$@"
}

bloquear servicio.txt pyproject.toml "$@"
bloquear parquet.txt pyproject.toml --extra parquet --constraints requisitos/servicio.txt "$@"
bloquear pruebas.txt pyproject.toml --extra parquet --group pruebas --constraints requisitos/parquet.txt "$@"
bloquear clientes.txt --group clientes "$@"
bloquear cloudevents.txt --group cloudevents "$@"
bloquear sdk.txt --group sdk "$@"
bloquear rivales.txt --group rivales --constraints requisitos/servicio.txt "$@"
