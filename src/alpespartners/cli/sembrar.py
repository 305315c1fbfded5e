"""`alpespartners sembrar`: llenar un servicio en marcha con un mes de datos inventados, y decir qué se envió.

Qué es: la cara en la terminal de `siembra/`.
Qué no es: una prueba de carga; para eso, `alpespartners medir`.
Por qué existe: quien quiere saber si el panel le sirve no tiene todavía un mes de datos que mirar.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer

from alpespartners.cli.avance import Avance
from alpespartners.cli.cuantas import cuantas
from alpespartners.cli.destino import imprimible
from alpespartners.cli.direccion import DireccionDelServicio
from alpespartners.cli.no_se_pudo import no_se_pudo
from alpespartners.composicion.inicio import leer_ajustes
from alpespartners.modulos.tracking.aplicacion.textos import instante_de_texto
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido
from alpespartners.seedwork.orden import ORDEN

if TYPE_CHECKING:
    from alpespartners.siembra.envio import Sembrados, Siembra
    from alpespartners.traspaso.cliente import Cliente

_EVENTOS_MAXIMOS: Final = 1_000_000
_DIAS_MAXIMOS: Final = 366
_SEMILLA_MAXIMA: Final = 999_999
_LO_MAS_ANTIGUO: Final = datetime(2001, 1, 1, tzinfo=UTC)
"""El comienzo del año en que toda moneda y todo reloj de los que se inventan valían ya."""


def sembrar(
    *,
    eventos: Annotated[
        int,
        typer.Option(
            "--eventos",
            min=1,
            max=_EVENTOS_MAXIMOS,
            metavar="<int>",
            help="Cuántos se envían en total, de 1 a 1000000.",
        ),
    ] = 50_000,
    dias: Annotated[
        int,
        typer.Option(
            "--dias", min=1, max=_DIAS_MAXIMOS, metavar="<int>", help="De cuántos días, de 1 a 366."
        ),
    ] = 30,
    hasta: Annotated[
        str | None,
        typer.Option("--hasta", help="Hasta cuándo, 2026-01-15T00:00:00-05:00; si falta, esta hora."),
    ] = None,
    semilla: Annotated[
        int,
        typer.Option(
            "--semilla",
            min=0,
            max=_SEMILLA_MAXIMA,
            metavar="<int>",
            help="La misma da los mismos eventos; de 0 a 999999.",
        ),
    ] = 1,
    direccion: DireccionDelServicio = None,
    espera: Annotated[
        float,
        typer.Option(
            "--espera",
            min=0,
            max=3600,
            metavar="<float>",
            help="Segundos que se espera al servicio si se cae.",
        ),
    ] = 60.0,
    de_todos_modos: Annotated[
        bool, typer.Option("--de-todos-modos", help="Aunque haya campañas que no son inventadas.")
    ] = False,
) -> None:
    """Envía a un servicio en marcha un mes de eventos inventados, para ver el panel con algo dentro.

    Todo identificador empieza por «demo-». Lo enviado no se puede borrar: por eso se niega si ya hay
    campañas que no empiezan así. Con la misma semilla y el mismo --hasta son los mismos eventos, y repetir
    no añade nada. La clave, si hace falta, es la primera de ALPES_CLAVES_API.

    Termina con 0 si se aceptó todo lo que se esperaba, con 1 si no y con 2 si no se pudo acabar.
    """
    from alpespartners.composicion.adaptadores import ahora
    from alpespartners.siembra.envio import Sembrados, Siembra
    from alpespartners.siembra.envio import sembrar as sembrar_con
    from alpespartners.traspaso.cliente import Cliente, NoSePuedeEnviar

    siembra = Siembra(semilla=semilla, eventos=eventos, dias=dias, hasta=_hasta(hasta, dias, ahora()))
    configuracion = leer_ajustes()
    lugar = direccion or f"http://localhost:{configuracion.puerto}"
    cliente = Cliente(lugar, next(iter(configuracion.claves_api), None), espera=espera)
    sembrados = Sembrados()
    try:
        if not de_todos_modos:
            _exigir_que_no_haya_otras(cliente)
        with Avance(eventos) as avance:
            sembrar_con(siembra, cliente, sembrados, lambda mas: avance.avanzar("Sembrando", mas))
    except NoSePuedeEnviar as error:
        raise no_se_pudo(f"{imprimible(str(error))} {_como_seguir(siembra, sembrados, lugar)}") from None
    except KeyboardInterrupt:
        raise no_se_pudo(f"Interrumpida. {_como_seguir(siembra, sembrados, lugar)}") from None
    finally:
        cliente.cerrar()
    for linea in _resumen(siembra, sembrados, lugar):
        typer.echo(linea)
    if not sembrados.como_se_esperaba:
        raise typer.Exit(1)


def _hasta(escrito: str | None, dias: int, ahora: datetime) -> datetime:
    """El final, en punto y en UTC."""
    try:
        pedido = ahora if escrito is None else instante_de_texto("--hasta", escrito)
    except CampoInvalido as invalido:
        raise no_se_pudo(f"No se entiende --hasta: {invalido}.") from None
    if pedido > ahora:
        raise no_se_pudo(f"--hasta no puede ser un instante que no ha llegado: ahora es {_en_texto(ahora)}.")
    if pedido - timedelta(days=dias) < _LO_MAS_ANTIGUO:
        raise no_se_pudo(
            f"--hasta es demasiado antiguo para {cuantas(dias, 'día', 'días')}: "
            f"lo más antiguo que se siembra es {_en_texto(_LO_MAS_ANTIGUO)}."
        )
    return pedido.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _exigir_que_no_haya_otras(cliente: "Cliente") -> None:
    from alpespartners.siembra.envio import campaña_de_otro
    from alpespartners.traspaso.cliente import NoSePuedeEnviar

    try:
        otra = campaña_de_otro(cliente)
    except NoSePuedeEnviar as error:
        raise no_se_pudo(
            f"No se puede saber si ya hay campañas de verdad. {imprimible(str(error))} "
            "Si está en marcha y la clave solo envía, --de-todos-modos no pregunta."
        ) from None
    if otra is not None:
        puerto = _puerto_de_otro(cliente.direccion)
        raise no_se_pudo(
            f"En {cliente.direccion} ya hay campañas que no son inventadas ({imprimible(otra)}), y lo que se "
            f"siembra no se puede borrar. Use otro servicio (ALPES_DATOS=/tmp/demo ALPES_PUERTO={puerto} "
            f"./bin/iniciar y, desde otra terminal, {ORDEN} sembrar "
            f"--direccion http://localhost:{puerto}) o, si da igual, --de-todos-modos."
        )


def _puerto_de_otro(direccion: str) -> int:
    """Uno que no es el de esa dirección."""
    return next(puerto for puerto in (8001, 8002) if puerto != urlsplit(direccion).port)


def _orden(siembra: "Siembra", lugar: str) -> str:
    return (
        f"{ORDEN} sembrar --direccion {lugar} --semilla {siembra.semilla} --eventos {siembra.eventos} "
        f"--dias {siembra.dias} --hasta {_en_texto(siembra.hasta)}"
    )


def _como_seguir(siembra: "Siembra", sembrados: "Sembrados", lugar: str) -> str:
    con_respuesta = cuantas(sembrados.enviados.total(), "tiene respuesta", "tienen respuesta")
    otra_vez = f"repetirlo es seguro y no añade nada dos veces: {_orden(siembra, lugar)}"
    return f"{con_respuesta.capitalize()}; {otra_vez}"


def _resumen(siembra: "Siembra", sembrados: "Sembrados", lugar: str) -> Iterator[str]:
    """Lo que se envió, lo que se aceptó y dónde mirarlo."""
    from alpespartners.siembra.visitas import Papel

    que_sera = {
        Papel.NUEVO: "quedan registrados, si no lo estaban ya",
        Papel.REPETIDO: "acaban en DUPLICADA, y no suman",
        Papel.EN_CONFLICTO: "acaban en RECHAZADA, por conflicto_de_id",
        Papel.CON_FALTAS: "no se aceptan",
    }
    yield f"{cuantas(siembra.eventos, 'envío', 'envíos')} de {cuantas(siembra.dias, 'día', 'días')}."
    yield ""
    yield f"{'':<14}{'enviados':>9}  {'aceptados':>9}"
    for papel, final in que_sera.items():
        enviados, aceptados = sembrados.enviados[papel], sembrados.aceptados[papel]
        yield f"{papel.value:<14}{enviados:>9}  {aceptados:>9}  {final}"
    for (codigo, campo), veces in sorted(sembrados.faltas.items()):
        yield f"  {imprimible(codigo)} ({imprimible(campo)}): {veces}"
    yield ""
    if not sembrados.como_se_esperaba:
        yield "No se aceptó todo lo que se esperaba: el porqué está arriba."
    yield f"Mírelo en {lugar}/panel"
    yield f"Lo mismo otra vez, que no añade nada: {_orden(siembra, lugar)}"


def _en_texto(instante: datetime) -> str:
    return f"{instante.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
