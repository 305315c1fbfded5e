"""`alpespartners claves`: crear, ver y revocar las claves con que otros programas usan el servicio.

Qué es: la cara en la terminal de `modulos/claves`.
Qué no es: las de `ALPES_CLAVES_API`, que valen para todo y no se guardan en ningún sitio.
Por qué existe: a cada tienda y a cada panel se le da una clave que solo sirve para lo suyo, y se le quita sin
detener nada.
"""

import sys
import time
from typing import Annotated, Final

import msgspec
import typer

from alpespartners.cli.destino import imprimible, momento
from alpespartners.cli.idioma import Grupo, Orden
from alpespartners.composicion.inicio import leer_ajustes
from alpespartners.modulos.claves.aplicacion.creacion import (
    LIMITE_MAXIMO,
    ClaveImposible,
    ClavePedida,
    parece_identidad,
)
from alpespartners.modulos.claves.dominio.clave import (
    Alcance,
    ClaveGuardada,
    Dialecto,
    texto_publico_de,
)
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.orden import ORDEN

claves = typer.Typer(cls=Grupo, help="Claves de la API: crearlas, verlas y revocarlas.", no_args_is_help=True)

_JSON: Final = msgspec.json.Encoder()
_AVISO_DE_LA_PRIMERA: Final = (
    "Es la primera: desde ahora el servicio pide una clave para todo, salvo la salud, las métricas y la "
    "documentación, y atiende con ella a cualquier máquina que llegue a él. No deja de pedirla aunque esta "
    "se revoque o caduque."
)
_AVISO_DE_SECRETA: Final = "Guárdela ahora: no se puede volver a ver."
_AVISO_DE_PUBLICA: Final = (
    "Es pública: va escrita en las páginas, y «claves listar» la vuelve a decir. Solo envía, desde sus "
    "orígenes y a sus campañas."
)
_AVISO_DE_SIN_CLAVE: Final = "ALPES_SIN_CLAVE=1 ya no abre el servicio: puede quitarla."


@claves.command(cls=Orden)
def crear(
    *,
    nombre: Annotated[str, typer.Option("--nombre", help="De quién es, para reconocerla.")],
    alcance: Annotated[
        list[str] | None,
        typer.Option("--alcance", help=f"Para qué vale: {', '.join(Alcance)}. Se puede repetir."),
    ] = None,
    campana: Annotated[
        list[str] | None,
        typer.Option(
            "--campaña",
            "--campana",
            help="La única a que envía o que lee; se puede repetir. Si falta, todas.",
        ),
    ] = None,
    prefijo: Annotated[
        str, typer.Option("--prefijo", help="Lo que se antepone al id de cada evento: tienda-.")
    ] = "",
    caduca: Annotated[
        str | None,
        typer.Option("--caduca", help="Desde cuándo no vale: 2027-01-01 (UTC) o un instante con su zona."),
    ] = None,
    limite: Annotated[
        int | None,
        typer.Option("--limite", help=f"Eventos por segundo, un número de 1 a {LIMITE_MAXIMO}."),
    ] = None,
    dialecto: Annotated[
        str | None,
        typer.Option("--dialecto", help=f"El protocolo de otros con que envía: {', '.join(Dialecto)}."),
    ] = None,
    origen: Annotated[
        list[str] | None,
        typer.Option(
            "--origen",
            help="Con --alcance navegador, desde qué páginas vale: https://tienda.com, "
            "https://*.tienda.com. Se puede repetir.",
        ),
    ] = None,
) -> None:
    """Crea una clave y la escribe, una sola vez, por la salida estándar. Vale al cabo de un segundo."""
    from alpespartners.composicion.ordenes import crear_clave

    configuracion = leer_ajustes()
    pedida = ClavePedida(
        nombre=nombre,
        alcances=alcance or (),
        campañas=campana or (),
        prefijo=prefijo,
        caduca=caduca,
        limite=limite,
        dialecto=dialecto,
        origenes=origen or (),
    )
    try:
        guardada, texto, es_la_primera = crear_clave(configuracion, pedida)
    except ClaveImposible as imposible:
        raise ErrorDeArranque(f"No se puede crear esa clave: {'; '.join(imposible.faltas)}.") from None
    except BaseDatosNoDisponible as error:
        raise _sin_base_de_datos(error) from None
    typer.echo(f"Clave {guardada.identidad}, {_descrita(guardada)}.", err=True)
    typer.echo(texto)
    typer.echo(_AVISO_DE_PUBLICA if guardada.es_publica else _AVISO_DE_SECRETA, err=True)
    if es_la_primera:
        typer.echo(_AVISO_DE_LA_PRIMERA, err=True)
        if configuracion.sin_clave:
            typer.echo(_AVISO_DE_SIN_CLAVE, err=True)


@claves.command(cls=Orden)
def listar(*, json: Annotated[bool, typer.Option("--json", help="Una por línea, en JSON.")] = False) -> None:
    """Enumera las claves guardadas, valgan o no, de la más antigua a la más nueva; nunca su secreto."""
    from alpespartners.composicion.adaptadores import ahora
    from alpespartners.composicion.ordenes import listar_claves

    lectura = listar_claves(leer_ajustes())
    for guardada in lectura.claves or ():
        if json:
            sys.stdout.write(_JSON.encode(_en_json(guardada)).decode() + "\n")
            continue
        vale = "vale" if guardada.vale(ahora()) else _por_que_no_vale(guardada)
        typer.echo(f"{guardada.identidad}  {vale}  {_descrita(guardada)}")
    for identidad in lectura.ilegibles:
        typer.echo(
            f"La clave {imprimible(identidad)} no se entiende, y no vale: la escribió otra versión o alguien "
            "a mano.",
            err=True,
        )
    if not lectura.claves and not lectura.ilegibles and not json:
        typer.echo("No hay ninguna.")


@claves.command(cls=Orden)
def revocar(
    identidad: Annotated[str, typer.Argument(help="La de `claves listar`; o la clave entera.")],
) -> None:
    """Revoca una clave: cuando termina, ningún proceso del servicio la admite."""
    from alpespartners.composicion.ordenes import SEGUNDOS_TRAS_REVOCAR, revocar_clave
    from alpespartners.modulos.claves.dominio.clave import identidad_publica, partes_de

    partes = partes_de(identidad)
    nombrada = identidad_publica(identidad) or (identidad if partes is None else partes[0])
    try:
        revocada_en = revocar_clave(leer_ajustes(), nombrada, time.sleep)
    except BaseDatosNoDisponible as error:
        raise _sin_base_de_datos(error) from None
    if revocada_en is None:
        raise ErrorDeArranque(
            f"No hay ninguna clave {nombrada}: `{ORDEN} claves listar` dice las que hay."
            if parece_identidad(nombrada)
            # No se repite: quien se equivoca puede haber pegado el secreto.
            else f"Eso no es la identidad de ninguna clave: `{ORDEN} claves listar` dice las que hay."
        )
    typer.echo(
        f"La clave {nombrada} está revocada desde el {momento(revocada_en)}. Se han esperado "
        f"{SEGUNDOS_TRAS_REVOCAR:g} segundos a que lo lean los procesos del servicio: ya no la admite "
        "ninguno, salvo el que no pueda leer la base de datos, hasta que pueda."
    )


def _descrita(guardada: ClaveGuardada) -> str:
    """Lo que deja hacer, en una línea."""
    partes = [f"«{guardada.nombre}»", " y ".join(sorted(guardada.alcances))]
    if guardada.dialecto is not None:
        partes.append(f"por {guardada.dialecto}")
    if guardada.campañas is not None:
        partes.append(f"campañas {', '.join(sorted(guardada.campañas))}")
    if guardada.prefijo:
        partes.append(f"prefijo {guardada.prefijo}")
    if guardada.limite is not None:
        partes.append(f"{guardada.limite} eventos por segundo")
    if guardada.es_publica:
        partes.append(f"desde {', '.join(sorted(guardada.origenes))}")
        partes.append(f"en la página, {texto_publico_de(guardada.identidad)}")
    if guardada.caduca_en is not None:
        partes.append(f"hasta el {momento(guardada.caduca_en)}")
    return imprimible(" · ".join(partes))


def _por_que_no_vale(guardada: ClaveGuardada) -> str:
    return "caducada" if guardada.revocada_en is None else "revocada"


def _en_json(guardada: ClaveGuardada) -> dict[str, object]:
    """Todo menos la sal y el resumen, que no sirven a nadie."""
    return {
        "id": guardada.identidad,
        "nombre": guardada.nombre,
        "alcances": sorted(guardada.alcances),
        "dialecto": guardada.dialecto,
        "campañas": None if guardada.campañas is None else sorted(guardada.campañas),
        "prefijo": guardada.prefijo,
        "limite": guardada.limite,
        "origenes": sorted(guardada.origenes),
        "publica": texto_publico_de(guardada.identidad) if guardada.es_publica else None,
        "caduca_en": guardada.caduca_en,
        "creada_en": guardada.creada_en,
        "revocada_en": guardada.revocada_en,
    }


def _sin_base_de_datos(error: BaseDatosNoDisponible) -> ErrorDeArranque:
    return ErrorDeArranque(f"No se puede usar la base de datos: {str(error).removesuffix('.')}.")
