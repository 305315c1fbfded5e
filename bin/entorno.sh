# Lo común a bin/iniciar y bin/probar, que lo leen con «.» después de definir $raiz.
#
# Aquí sólo está lo que no puede esperar a Python: ver si .venv está al día, que es lo normal y no debe costar
# nada, y encontrar un Python que sirva. Instalar es cosa de bin/entorno.py.

: "${raiz:?}"

# Deja .venv con los requisitos bloqueados en requisitos/$1.txt, o termina con una frase.
preparar() {
    if [ -x "$raiz/.venv/bin/python" ] &&
        { printf '%s\n' "$raiz" && cat -- "$raiz/requisitos/$1.txt" "$raiz/bin/entorno.py"; } |
        cmp -s -- - "$raiz/.venv/sello-$1"; then
        return
    fi
    buscar_python
    "$python" "$raiz/bin/entorno.py" "$raiz" "$1"
}

# Deja en $python el primero que sirva. El límite de arriba es el de las ruedas de requisitos/*.txt.
buscar_python() {
    falta="Hace falta Python 3.11, 3.12, 3.13 o 3.14 y en el PATH no hay ninguno: instálelo y repita."
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null ||
            continue
        if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            return
        fi
        falta="A $python le falta el módulo venv: instálelo (en Debian y Ubuntu, apt install python3-venv) y repita."
    done
    printf '%s\n' "$falta" >&2
    exit 1
}
