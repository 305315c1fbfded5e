"""`alpespartners iniciar | api | consumidores | migrar`: poner en marcha el servicio entero o una parte.

Qué es: el arranque visto desde una terminal: abre el puerto, supervisa los procesos y dice qué probar.
Qué no es: lo que corre en cada proceso (`composicion/procesos.py`).
Por qué existe: un puerto ocupado se dice antes de arrancar nada, y lo primero que ve quien empieza es qué
puede probar.
"""

import http.client
import ipaddress
import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from alpespartners.api.tracking.ejemplos import EJEMPLOS
from alpespartners.composicion import carpeta_de_datos, procesos
from alpespartners.composicion.inicio import leer_ajustes
from alpespartners.config import Configuracion, leer_procesos, leer_puerto
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.observacion.cuenta_comun import Puesto, cuenta_comun
from alpespartners.seedwork.procesos.servidor_http import PuertoOcupado, abrir_puerto
from alpespartners.seedwork.procesos.supervisor import Hijo, supervisar

_PENDIENTES = 2048
_CADA = 0.05
_LIMITE_DE_ANUNCIO = 30.0
_MAXIMO = 64 * 1024
_SEÑAS = (b'"estado":"viva"', b"urn:alpespartners:")
"""Lo que hay en cualquier respuesta nuestra a quien pregunta si vive, se le deje preguntar o no."""
_NO_LISTA: int = http.HTTPStatus.SERVICE_UNAVAILABLE

_CABECERA = """
Alpes Partners · Tracking está en marcha.

  Panel            {direccion}/panel
  Documentación    {direccion}/docs
  Broker           {broker}
  Datos            {datos}
{avisos}
Pruebe:
"""

_AVISO = """
  Atención: {aviso}
"""

_DESPUES = """\
Y vea lo registrado:

curl "{direccion}/tracking/{recurso}/{id}"{clave}

Ctrl-C lo detiene; nada de lo aceptado se pierde."""

_YA_ESTA = (
    "Alpes Partners · Tracking ya está en marcha en {direccion}: úselo, deténgalo, o elija otro puerto con "
    "ALPES_PUERTO."
)

_NEGADO = """
Alpes Partners · Tracking está en marcha, pero no admite peticiones a {direccion}.
{detalle}
"""

_Procesos = Annotated[
    int | None,
    typer.Option(
        "--procesos",
        parser=leer_procesos,
        help="Procesos de la API en ese puerto, de 1 a 64; si falta, ALPES_PROCESOS o 1.",
    ),
]


def iniciar(
    *,
    puerto: Annotated[
        int | None,
        typer.Option(parser=leer_puerto, help="Puerto, de 0 a 65535; si falta, ALPES_PUERTO u 8000."),
    ] = None,
    cuantos: _Procesos = None,
) -> None:
    """Arranca la API, los consumidores y, si hace falta, el broker embebido. Termina con Ctrl-C."""
    configuracion = _ajustes(puerto=puerto, procesos=cuantos)
    enchufe = _escuchar(configuracion)
    carpeta_de_datos.exigir_libre(configuracion)
    consumiendo, aviso = socket.socketpair()
    threading.Thread(target=_anunciar, args=(configuracion, enchufe, consumiendo), daemon=True).start()
    with _apis(configuracion, enchufe, procesos.migrar_y_servir_api) as apis:
        supervisar([*apis, Hijo("consumidores", procesos.migrar_y_consumir, (configuracion, aviso))])


def api(*, cuantos: _Procesos = None) -> None:
    """Arranca solo la API, con los límites de `iniciar`; a un PostgreSQL no le toca las tablas."""
    configuracion = _ajustes(procesos=cuantos)
    enchufe = _escuchar(configuracion)
    if configuracion.procesos == 1:
        procesos.servir_api(configuracion, enchufe)
        return
    with _apis(configuracion, enchufe, procesos.servir_api) as apis:
        supervisar(apis)


def consumidores() -> None:
    """Arranca solo los consumidores, como `python -m alpespartners.modulos.tracking.infraestructura`."""
    procesos.consumir(leer_ajustes())


def migrar() -> None:
    """Lleva la base de datos al esquema de esta versión."""
    configuracion = leer_ajustes()
    procesos.migrar(configuracion)
    typer.echo(f"La base de datos de {configuracion.lugar} está al día.")


def _ajustes(**dados: int | None) -> Configuracion:
    """Los del entorno, salvo los que se dieron en la orden."""
    return leer_ajustes(**{nombre: valor for nombre, valor in dados.items() if valor is not None})


@contextmanager
def _apis(
    configuracion: Configuracion, enchufe: socket.socket, trabajo: Callable[..., None]
) -> Iterator[list[Hijo]]:
    """Los procesos de la API, que aceptan del mismo enchufe; si son varios, con una cuenta común."""
    if configuracion.procesos == 1:
        yield [Hijo("api", trabajo, (configuracion, enchufe))]
        return
    with cuenta_comun() as carpeta:
        yield [
            Hijo(f"api {numero}", trabajo, (configuracion, enchufe, Puesto(carpeta, numero)))
            for numero in range(1, configuracion.procesos + 1)
        ]


def _escuchar(configuracion: Configuracion) -> socket.socket:
    """Abre el puerto antes que nada; bajo el supervisor, si la API muere, quien llama espera en la cola."""
    try:
        return abrir_puerto(
            configuracion.anfitrion, configuracion.puerto, _PENDIENTES, "ALPES_ANFITRION y ALPES_PUERTO"
        )
    except PuertoOcupado as ocupado:
        anfitrion, puerto = ocupado.lugar
        visible = f"{_nombre_visible(anfitrion)}:{puerto}"
        _, cuerpo = _preguntar(anfitrion, puerto, visible, "/salud/viva")
        if any(seña in cuerpo for seña in _SEÑAS):
            raise ErrorDeArranque(_YA_ESTA.format(direccion=f"http://{visible}")) from None
        raise


def _anunciar(configuracion: Configuracion, enchufe: socket.socket, consumiendo: socket.socket) -> None:
    """Espera a que haya quien acepte y quien registre, y dice dónde está todo y qué probar."""
    anfitrion, puerto = enchufe.getsockname()[:2]
    visible = f"{_nombre_visible(anfitrion)}:{puerto}"
    direccion = f"http://{visible}"
    plazo = time.monotonic() + _LIMITE_DE_ANUNCIO
    estado, cuerpo = _NO_LISTA, b""
    # Los consumidores que cuenta /salud/lista pueden ser de otro servicio: los de este lo dicen ellos mismos.
    if select.select([consumiendo], [], [], _LIMITE_DE_ANUNCIO)[0]:
        while estado == _NO_LISTA and time.monotonic() < plazo:
            estado, cuerpo = _preguntar(anfitrion, puerto, visible, "/salud/lista")
            time.sleep(_CADA)
    if estado == _NO_LISTA:
        typer.echo("El servicio aún no está en marcha; el registro de arriba dice por qué.", err=True)
        return
    if estado != http.HTTPStatus.OK:
        typer.echo(_NEGADO.format(direccion=direccion, detalle=json.loads(cuerpo)["detail"]), err=True)
        return
    # A quien no tiene clave no se le dice ni que algo no existe.
    pide_clave, _ = _preguntar(anfitrion, puerto, visible, "/tracking/balance")
    clave = ' \\\n  -H "Authorization: Bearer $CLAVE"' if pide_clave == http.HTTPStatus.UNAUTHORIZED else ""
    typer.echo(
        _CABECERA.format(
            direccion=direccion,
            broker=carpeta_de_datos.broker(configuracion),
            datos=configuracion.datos,
            avisos="".join(_AVISO.format(aviso=aviso) for aviso in configuracion.avisos()),
        )
    )
    for recurso, ejemplo in EJEMPLOS.items():
        typer.echo(
            f'curl -X POST "{direccion}/tracking/{recurso}"{clave} \\\n'
            f"  -H \"Content-Type: application/json\" \\\n  -d '{ejemplo}'\n"
        )
    recurso, ejemplo = list(EJEMPLOS.items())[-1]
    typer.echo(
        _DESPUES.format(direccion=direccion, recurso=recurso, id=json.loads(ejemplo)["id"], clave=clave)
    )


def _nombre_visible(anfitrion: str) -> str:
    """El nombre con el que se llega desde esta máquina a esa dirección; «localhost», solo si lleva a ella."""
    direccion = ipaddress.ip_address(anfitrion.partition("%")[0])
    es_v6 = isinstance(direccion, ipaddress.IPv6Address)
    if direccion.is_unspecified:
        direccion = ipaddress.ip_address("::1" if es_v6 else "127.0.0.1")
    if str(direccion) in _direcciones_de_localhost():
        return "localhost"
    return f"[{direccion}]" if es_v6 else str(direccion)


def _direcciones_de_localhost() -> set[object]:
    try:
        return {destino[0] for *_, destino in socket.getaddrinfo("localhost", None)}
    except OSError:
        return set()


def _preguntar(anfitrion: str, puerto: int, visible: str, ruta: str) -> tuple[int, bytes]:
    """Pide algo como lo pedirá quien lea el anuncio; una API que no responde tampoco está lista."""
    conexion = http.client.HTTPConnection(anfitrion, puerto, timeout=1)
    try:
        conexion.request("GET", ruta, headers={"Host": visible})
        respuesta = conexion.getresponse()
        return respuesta.status, respuesta.read(_MAXIMO)
    # Quien tiene el puerto puede no hablar HTTP.
    except (OSError, http.client.HTTPException):
        return _NO_LISTA, b""
    finally:
        conexion.close()
