"""`alpespartners iniciar | api | consumidores | migrar`: poner en marcha el servicio entero o una parte.

Qué es: el arranque visto desde una terminal: abre el puerto, supervisa los procesos y dice qué probar.
Qué no es: lo que corre en cada proceso (`procesos.py`).
Por qué existe: un puerto ocupado se dice antes de arrancar nada, y lo primero que ve quien empieza es qué
puede probar.
"""

import http.client
import ipaddress
import json
import socket
import threading
import time
from typing import Annotated

import typer

from alpespartners import procesos
from alpespartners.api.ejemplos import EJEMPLOS
from alpespartners.config import Configuracion
from alpespartners.seedwork.infraestructura.registro import configurar_registro
from alpespartners.seedwork.infraestructura.servidor_http import abrir_puerto
from alpespartners.seedwork.infraestructura.supervisor import Hijo, supervisar

_PENDIENTES = 2048
_CADA = 0.05
_LIMITE_DE_ANUNCIO = 30.0

_CABECERA = """
Alpes Partners · Tracking está en marcha.

  API            {direccion}
  Documentación  {direccion}/docs
  Datos          {datos}

Pruebe:
"""


def iniciar(
    *,
    puerto: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Puerto; si falta, ALPES_PUERTO u 8000.")
    ] = None,
) -> None:
    """Arranca la API, los consumidores y, si hace falta, el broker embebido. Termina con Ctrl-C."""
    configuracion = Configuracion() if puerto is None else Configuracion(puerto=puerto)
    configurar_registro(configuracion.registro)
    enchufe = _escuchar(configuracion)
    threading.Thread(target=_anunciar, args=(configuracion, enchufe), daemon=True).start()
    supervisar(
        [
            Hijo("api", procesos.migrar_y_servir_api, (configuracion, enchufe)),
            Hijo("consumidores", procesos.migrar_y_consumir, (configuracion,)),
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


def _anunciar(configuracion: Configuracion, enchufe: socket.socket) -> None:
    """Espera a que haya quien acepte y quien registre, y dice dónde está todo y qué probar."""
    anfitrion, puerto = enchufe.getsockname()[:2]
    plazo = time.monotonic() + _LIMITE_DE_ANUNCIO
    while not _en_marcha(anfitrion, puerto):
        if time.monotonic() >= plazo:
            typer.echo("El servicio aún no está en marcha; el registro de arriba dice por qué.", err=True)
            return
        time.sleep(_CADA)
    direccion = f"http://{_nombre_visible(anfitrion)}:{puerto}"
    clave = '\n  -H "Authorization: Bearer $CLAVE" \\' if configuracion.claves_api else ""
    typer.echo(_CABECERA.format(direccion=direccion, datos=configuracion.datos))
    for recurso, ejemplo in EJEMPLOS.items():
        typer.echo(
            f'curl -X POST "{direccion}/tracking/{recurso}" \\{clave}\n'
            f"  -H \"Content-Type: application/json\" \\\n  -d '{ejemplo}'\n"
        )
    typer.echo("Ctrl-C lo detiene; nada de lo aceptado se pierde.")


def _nombre_visible(anfitrion: str) -> str:
    """El nombre con el que se llega desde esta máquina a esa dirección."""
    direccion = ipaddress.ip_address(anfitrion.partition("%")[0])
    if direccion.is_loopback or direccion.is_unspecified:
        return "localhost"
    return f"[{direccion}]" if isinstance(direccion, ipaddress.IPv6Address) else str(direccion)


def _en_marcha(anfitrion: str, puerto: int) -> bool:
    """Dice si la API responde y hay consumidores; una negativa de acceso también es una respuesta."""
    conexion = http.client.HTTPConnection(anfitrion, puerto, timeout=1)
    try:
        conexion.request("GET", "/salud/lista", headers={"Host": "localhost"})
        respuesta = conexion.getresponse()
        cuerpo = respuesta.read()
    except OSError:
        return False
    else:
        if respuesta.status == http.HTTPStatus.OK:
            return bool(json.loads(cuerpo)["consumidores"])
        return respuesta.status == http.HTTPStatus.FORBIDDEN
    finally:
        conexion.close()
