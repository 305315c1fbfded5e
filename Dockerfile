# La imagen de la API, los consumidores y la migración: los requisitos bloqueados, sin compilador ni nada que instalar después.

FROM python:3.11.14-slim-bookworm AS construccion
WORKDIR /alpes
# El mismo guion que prepara `.venv` en un portátil: solo ruedas, y solo las que llevan el hash bloqueado.
COPY bin/entorno.py bin/
COPY requisitos/servicio.txt requisitos/
ENV PIP_NO_CACHE_DIR=1
RUN python bin/entorno.py /alpes servicio && .venv/bin/python -m pip uninstall -q -y pip
COPY src src/
# El sistema de archivos será de solo lectura: lo que no se compile ahora se compilaría en cada arranque.
RUN .venv/bin/python -m compileall -q src

FROM python:3.11.14-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home alpes && install -d -o alpes -m 700 /datos
COPY LICENSE /alpes/
COPY --from=construccion /alpes/.venv /alpes/.venv
COPY --from=construccion /alpes/src /alpes/src
# Lo que `conciliar` y `reconstruir` ordenan en disco va donde se puede escribir.
ENV PATH=/alpes/.venv/bin:$PATH ALPES_DATOS=/datos SQLITE_TMPDIR=/datos
USER 10001
WORKDIR /alpes
CMD ["alpespartners", "--help"]
