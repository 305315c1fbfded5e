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
from typing import Annotated

import typer

from alpespartners.api.tracking.ejemplos import EJEMPLOS
from alpespartners.composicion import procesos
from alpespartners.config import Configuracion, leer_puerto
from alpespartners.seedwork.observacion.registro import configurar_registro
from alpespartners.seedwork.procesos.servidor_http import abrir_puerto
from alpespartners.seedwork.procesos.supervisor import Hijo, supervisar

_PENDIENTES = 2048
_CADA = 0.05
_LIMITE_DE_ANUNCIO = 30.0
_NO_LISTA: int = http.HTTPStatus.SERVICE_UNAVAILABLE

_CABECERA = """
Alpes Partners · Tracking está en marcha.

  API            {direccion}
  Documentación  {direccion}/docs
  Datos          {datos}

Pruebe:
"""

_NEGADO = """
Alpes Partners · Tracking está en marcha, pero no admite peticiones a {direccion}.
{detalle}
"""


def iniciar(
    *,
    puerto: Annotated[
        int | None,
        typer.Option(parser=leer_puerto, help="Puerto, de 0 a 65535; si falta, ALPES_PUERTO u 8000."),
    ] = None,
) -> None:
    """Arranca la API, los consumidores y, si hace falta, el broker embebido. Termina con Ctrl-C."""
    configuracion = Configuracion() if puerto is None else Configuracion(puerto=puerto)
    configurar_registro(configuracion.registro)
    enchufe = _escuchar(configuracion)
    consumiendo, aviso = socket.socketpair()
    threading.Thread(target=_anunciar, args=(configuracion, enchufe, consumiendo), daemon=True).start()
    supervisar(
        [
            Hijo("api", procesos.migrar_y_servir_api, (configuracion, enchufe)),
            Hijo("consumidores", procesos.migrar_y_consumir, (configuracion, aviso)),
        ]
    )


def api() -> None:
    """Arranca solo la API, con los límites de `iniciar`; a un PostgreSQL no le toca las tablas."""
    configuracion = Configuracion()
    configurar_registro(configuracion.registro)
    procesos.servir_api(configuracion, _escuchar(configuracion))


def consumidores() -> None:
    """Arranca solo los consumidores, como `python -m alpespartners.modulos.tracking.infraestructura`."""
    procesos.consumir(Configuracion())


def migrar() -> None:
    """Lleva la base de datos al esquema de esta versión."""
    configuracion = Configuracion()
    procesos.migrar(configuracion)
    typer.echo(f"La base de datos de {configuracion.lugar} está al día.")


def _escuchar(configuracion: Configuracion) -> socket.socket:
    """Abre el puerto antes que nada; bajo el supervisor, si la API muere, quien llama espera en la cola."""
    return abrir_puerto(
        configuracion.anfitrion, configuracion.puerto, _PENDIENTES, "ALPES_ANFITRION y ALPES_PUERTO"
    )


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
            estado, cuerpo = _preguntar(anfitrion, puerto, visible)
            time.sleep(_CADA)
    if estado == _NO_LISTA:
        typer.echo("El servicio aún no está en marcha; el registro de arriba dice por qué.", err=True)
        return
    if estado != http.HTTPStatus.OK:
        typer.echo(_NEGADO.format(direccion=direccion, detalle=json.loads(cuerpo)["detail"]), err=True)
        return
    clave = '\n  -H "Authorization: Bearer $CLAVE" \\' if configuracion.claves_api else ""
    typer.echo(_CABECERA.format(direccion=direccion, datos=configuracion.datos))
    for recurso, ejemplo in EJEMPLOS.items():
        typer.echo(
            f'curl -X POST "{direccion}/tracking/{recurso}" \\{clave}\n'
            f"  -H \"Content-Type: application/json\" \\\n  -d '{ejemplo}'\n"
        )
    typer.echo("Ctrl-C lo detiene; nada de lo aceptado se pierde.")


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


def _preguntar(anfitrion: str, puerto: int, visible: str) -> tuple[int, bytes]:
    """Pide algo como lo pedirá quien lea el anuncio; una API que no responde tampoco está lista."""
    conexion = http.client.HTTPConnection(anfitrion, puerto, timeout=1)
    try:
        conexion.request("GET", "/salud/lista", headers={"Host": visible})
        respuesta = conexion.getresponse()
        return respuesta.status, respuesta.read()
    except OSError:
        return _NO_LISTA, b""
    finally:
        conexion.close()
