"""`alpespartners enlaces`: crear, ver, cambiar y firmar los enlaces cortos que reparte cada influencer.

Qué es: la cara en la terminal de `modulos/enlaces`.
Qué no es: quien redirige; eso lo hace el servicio, que ve un cambio a los cinco segundos como mucho.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, NoReturn

import msgspec
import typer

from alpespartners.cli.destino import imprimible, momento
from alpespartners.cli.direccion import DireccionDelServicio
from alpespartners.cli.idioma import Grupo, Orden
from alpespartners.composicion.inicio import leer_ajustes
from alpespartners.config import Configuracion
from alpespartners.modulos.enlaces.aplicacion.listado import peticion_de_enlaces
from alpespartners.modulos.enlaces.dominio.enlace import PARAMETRO_CLIC, Enlace
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.dominio.excepciones import DatosInvalidos
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.orden import ORDEN

enlaces = typer.Typer(
    cls=Grupo, help="Enlaces cortos: crearlos, verlos, cambiarlos y firmarlos.", no_args_is_help=True
)

_JSON: Final = msgspec.json.Encoder()
_Id = Annotated[str, typer.Argument(help="Cómo se llama: lo que va detrás de /c/.")]
_Json = Annotated[bool, typer.Option("--json", help="Uno por línea, en JSON.")]


@enlaces.command(cls=Orden)
def crear(  # noqa: PLR0913 (cada uno es una opción)
    *,
    campana: Annotated[str, typer.Option("--campaña", "--campana", help="De qué campaña son sus clics.")],
    destino: Annotated[str, typer.Option("--destino", help="Adónde lleva: https://tienda.com/zapatos.")],
    enlace: Annotated[
        str | None, typer.Option("--enlace", help="Cómo se llama; si falta, uno corto al azar.")
    ] = None,
    influencer: Annotated[
        str | None, typer.Option("--influencer", help="De qué influencer son sus clics.")
    ] = None,
    cupon: Annotated[str | None, typer.Option("--cupon", help="El código que se anuncia con él.")] = None,
    parametro_clic: Annotated[
        str,
        typer.Option("--parametro-clic", help="Con qué nombre recibe el destino el clic."),
    ] = PARAMETRO_CLIC,
    dominio: Annotated[
        list[str] | None,
        typer.Option(
            "--dominio", help="Otro anfitrión al que se puede ir, firmado: *.tienda.com. Se puede repetir."
        ),
    ] = None,
    vence: Annotated[
        str | None, typer.Option("--vence", help="Desde cuándo no cuenta: un instante con su zona.")
    ] = None,
    direccion: DireccionDelServicio = None,
) -> None:
    """Crea un enlace y lo escribe, entero, por la salida estándar. Repetirlo con su --enlace es seguro."""
    from alpespartners.composicion.ordenes import crear_enlace

    configuracion = leer_ajustes()
    pedido = {
        "enlace_id": enlace,
        "campaña_id": campana,
        "influencer_id": influencer,
        "destino": destino,
        "cupon": cupon,
        "parametro_clic": parametro_clic,
        "dominios_permitidos": dominio,
        "vence_en": vence,
    }
    try:
        queda, es_este = crear_enlace(configuracion, pedido)
    except DatosInvalidos as invalidos:
        _no_vale("No se puede crear ese enlace", invalidos)
    except BaseDatosNoDisponible as error:
        raise _sin_base_de_datos(error) from None
    if not es_este:
        raise ErrorDeArranque(
            f"Ya hay un enlace {queda.enlace_id} que no dice lo mismo: cámbielo "
            f"(`{ORDEN} enlaces cambiar {queda.enlace_id}`), o elija otro nombre."
        )
    typer.echo(f"Enlace {queda.enlace_id}, {_descrito(queda)}.", err=True)
    typer.echo(_lugar(configuracion, direccion) + queda.ruta)


@enlaces.command(cls=Orden)
def listar(
    *,
    campana: Annotated[
        str | None, typer.Option("--campaña", "--campana", help="Solo los de esta campaña.")
    ] = None,
    influencer: Annotated[str | None, typer.Option("--influencer", help="Solo los de este.")] = None,
    json: _Json = False,
) -> None:
    """Enumera los enlaces, del último que se hizo al primero."""
    from alpespartners.composicion.ordenes import listar_enlaces

    pedidos = {"campaña_id": campana, "influencer_id": influencer}
    dichos = {nombre: valor for nombre, valor in pedidos.items() if valor is not None}
    try:
        pedido = peticion_de_enlaces(dichos)
    except DatosInvalidos as invalidos:
        _no_vale("No se pueden enumerar esos enlaces", invalidos)
    hallados = listar_enlaces(leer_ajustes(), pedido.filtro)
    for hallado in hallados:
        _decir(hallado, json=json)
    if not hallados and not json:
        typer.echo("No hay ninguno.")


@enlaces.command(cls=Orden)
def ver(enlace: _Id, *, json: _Json = False) -> None:
    """Dice adónde lleva un enlace y de quién es."""
    from alpespartners.composicion.ordenes import ver_enlace

    hallado = ver_enlace(leer_ajustes(), enlace)
    if hallado is None:
        raise _no_existe()
    _decir(hallado, json=json)


@enlaces.command(cls=Orden)
def cambiar(
    enlace: _Id,
    *,
    destino: Annotated[str | None, typer.Option("--destino", help="Adónde lleva desde ahora.")] = None,
    cupon: Annotated[str | None, typer.Option("--cupon", help='Otro código; "" lo quita.')] = None,
    dominio: Annotated[
        list[str] | None,
        typer.Option("--dominio", help='Los que valen desde ahora; se puede repetir, y "" los quita.'),
    ] = None,
    vence: Annotated[
        str | None, typer.Option("--vence", help='Un instante con su zona; "" es nunca.')
    ] = None,
) -> None:
    """Cambia un enlace. Su campaña, su influencer y el parámetro del clic no cambian: sería otro."""
    from alpespartners.composicion.ordenes import cambiar_enlace

    pedidos: Mapping[str, Any] = {"destino": destino, "cupon": cupon, "vence_en": vence}
    cambios = {nombre: valor for nombre, valor in pedidos.items() if valor is not None}
    if dominio:
        cambios["dominios_permitidos"] = [uno for uno in dominio if uno]
    if not cambios:
        raise ErrorDeArranque("Diga qué cambia: --destino, --cupon, --dominio o --vence.")
    try:
        queda = cambiar_enlace(leer_ajustes(), enlace, cambios)
    except DatosInvalidos as invalidos:
        _no_vale("No se puede cambiar así ese enlace", invalidos)
    except BaseDatosNoDisponible as error:
        raise _sin_base_de_datos(error) from None
    if queda is None:
        raise _no_existe()
    _decir(queda, json=False)


@enlaces.command(cls=Orden)
def firmar(
    enlace: _Id,
    *,
    destino: Annotated[str, typer.Option("--destino", help="Adónde lleva; su anfitrión, de los permitidos.")],
    vence: Annotated[
        str | None, typer.Option("--vence", help="Desde cuándo no vale: un instante con su zona.")
    ] = None,
    direccion: DireccionDelServicio = None,
) -> None:
    """Escribe el enlace corto que lleva a otro destino, firmado. No guarda nada."""
    from alpespartners.composicion.ordenes import firmar_destino

    configuracion = leer_ajustes()
    try:
        ruta = firmar_destino(configuracion, enlace, {"destino": destino, "vence_en": vence})
    except DatosInvalidos as invalidos:
        _no_vale("No se puede firmar ese destino", invalidos)
    if ruta is None:
        raise _no_existe()
    typer.echo(_lugar(configuracion, direccion) + ruta)


def _lugar(configuracion: Configuracion, direccion: str | None) -> str:
    return direccion or f"http://localhost:{configuracion.puerto}"


def _decir(enlace: Enlace, *, json: bool) -> None:
    if json:
        sys.stdout.write(_JSON.encode(enlace).decode() + "\n")
    else:
        typer.echo(f"{enlace.enlace_id}  {_descrito(enlace)}")


def _descrito(enlace: Enlace) -> str:
    """Lo que dice, en una línea."""
    return imprimible(" · ".join(_partes(enlace)))


def _partes(enlace: Enlace) -> Iterator[str]:
    yield f"campaña {enlace.campaña_id}"
    if enlace.influencer_id is not None:
        yield f"influencer {enlace.influencer_id}"
    yield f"lleva a {enlace.destino}"
    if enlace.cupon is not None:
        yield f"cupón {enlace.cupon}"
    if enlace.parametro_clic != PARAMETRO_CLIC:
        yield f"el clic, en {enlace.parametro_clic}"
    if enlace.dominios_permitidos:
        yield f"firmado, también a {', '.join(enlace.dominios_permitidos)}"
    if enlace.vence_en is not None:
        yield f"cuenta hasta el {momento(enlace.vence_en)}"


def _no_vale(que: str, invalidos: DatosInvalidos) -> NoReturn:
    faltas = "; ".join(f"{imprimible(fallo.campo)} {fallo.mensaje}" for fallo in invalidos.fallos)
    raise ErrorDeArranque(f"{que}: {faltas}.") from None


def _no_existe() -> ErrorDeArranque:
    return ErrorDeArranque(
        f"No hay ningún enlace que se llame así: `{ORDEN} enlaces listar` dice los que hay."
    )


def _sin_base_de_datos(error: BaseDatosNoDisponible) -> ErrorDeArranque:
    return ErrorDeArranque(f"No se puede usar la base de datos: {str(error).removesuffix('.')}.")
