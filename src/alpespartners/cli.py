"""La orden `alpespartners`: arrancar el servicio entero, o una de sus partes, desde una terminal.

Qué es: la cara del producto para quien lo instala; dice qué hace y qué probar después.
Qué no es: un lugar con lógica; cada orden llama a la composición.
Por qué existe: la primera hora con el producto debe ser una sola orden.
"""

import http.client
import socket
import threading
import time
from typing import Annotated

import typer

from alpespartners import procesos
from alpespartners.cli_cartas import cartas
from alpespartners.cli_destino import destino
from alpespartners.config import Configuracion
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.infraestructura.registro import configurar_registro
from alpespartners.seedwork.infraestructura.supervisor import Hijo, supervisar

principal = typer.Typer(
    name="alpespartners",
    help="Registra impresiones y conversiones de campañas.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
principal.add_typer(cartas, name="cartas")

_PENDIENTES = 2048
_CADA = 0.05
_LIMITE_DE_ANUNCIO = 30.0


@principal.command()
def iniciar(
    *,
    puerto: Annotated[int | None, typer.Option(help="Puerto; si falta, ALPES_PUERTO u 8000.")] = None,
) -> None:
    """Arranca la API, los consumidores y, si hace falta, el broker embebido. Termina con Ctrl-C."""
    configuracion = Configuracion() if puerto is None else Configuracion(puerto=puerto)
    configurar_registro(configuracion.registro)
    enchufe = _escuchar(configuracion.anfitrion, configuracion.puerto)
    threading.Thread(target=_anunciar, args=(configuracion, enchufe), daemon=True).start()
    supervisar(
        [
            Hijo("api", procesos.servir_api, (configuracion, enchufe)),
            Hijo("consumidores", procesos.consumir, (configuracion,)),
        ]
    )


@principal.command()
def consumidores() -> None:
    """Arranca solo los consumidores, como `python -m alpespartners.modulos.tracking.infraestructura`."""
    procesos.consumir(Configuracion())


@principal.command()
def migrar() -> None:
    """Lleva la base de datos al esquema de esta versión."""
    configuracion = Configuracion()
    procesos.migrar(configuracion)
    typer.echo(f"La base de datos de {configuracion.datos} está al día.")


principal.command()(destino)


def _escuchar(anfitrion: str, puerto: int) -> socket.socket:
    """Abre el puerto en el supervisor: si la API muere, quien llama espera en la cola hasta que vuelva."""
    try:
        familia, _, _, _, direccion = socket.getaddrinfo(
            anfitrion, puerto, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(direccion[:2], family=familia, backlog=_PENDIENTES)
    except OSError as error:
        raise ErrorDeArranque(
            f"No se puede escuchar en {anfitrion}:{puerto} ({error.strerror or error}). "
            "Libere el puerto o elija otro con ALPES_PUERTO."
        ) from None


def _anunciar(configuracion: Configuracion, enchufe: socket.socket) -> None:
    """Espera a que la API responda y dice dónde está, dónde quedan los datos y qué probar."""
    anfitrion, puerto = enchufe.getsockname()[:2]
    plazo = time.monotonic() + _LIMITE_DE_ANUNCIO
    while not _responde(anfitrion, puerto):
        if time.monotonic() >= plazo:
            typer.echo("La API aún no responde; el registro de arriba dice por qué.", err=True)
            return
        time.sleep(_CADA)
    direccion = f"http://localhost:{puerto}"
    clave = '\n  -H "Authorization: Bearer $CLAVE" \\' if configuracion.claves_api else ""
    typer.echo(_ANUNCIO.format(direccion=direccion, datos=configuracion.datos))
    for recurso, ejemplo in _EJEMPLOS.items():
        typer.echo(
            f'curl -X POST "{direccion}/tracking/{recurso}" \\{clave}\n'
            f"  -H \"Content-Type: application/json\" \\\n  -d '{ejemplo}'\n"
        )
    typer.echo("Ctrl-C lo detiene; nada de lo aceptado se pierde.")


def _responde(anfitrion: str, puerto: int) -> bool:
    conexion = http.client.HTTPConnection(anfitrion, puerto, timeout=1)
    try:
        conexion.request("GET", "/salud/viva", headers={"Host": "localhost"})
        return conexion.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        conexion.close()


_ANUNCIO = """
Alpes Partners · Tracking está en marcha.

  API            {direccion}
  Documentación  {direccion}/docs
  Datos          {datos}

Pruebe:
"""

_EJEMPLOS = {
    "impresiones": """{
    "id": "imp-123",
    "campaña_id": "cmp-456",
    "influencer_id": "inf-789",
    "usuario_id": "usr-101",
    "tipo_evento": "IMPRESION",
    "user_agent": "Mozilla/5.0...",
    "ip_address": "192.168.1.1",
    "referrer": "https://instagram.com",
    "timestamp": "2024-01-15T10:30:00Z"
  }""",
    "conversiones": """{
    "id": "conv-123",
    "campaña_id": "cmp-456",
    "influencer_id": "inf-789",
    "usuario_id": "usr-101",
    "tipo_conversion": "VENTA",
    "valor": 150000.0,
    "moneda": "COP",
    "user_agent": "Mozilla/5.0...",
    "ip_address": "192.168.1.1",
    "referrer": "https://instagram.com",
    "timestamp": "2024-01-15T10:35:00Z"
  }""",
}
