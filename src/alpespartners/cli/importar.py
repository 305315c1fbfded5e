"""`alpespartners importar`: enviar las filas de un archivo a un servicio en marcha, y decir qué fue de ellas.

Qué es: la cara en la terminal de `traspaso/importacion.py`.
Qué no es: una escritura en la base de datos; cada fila entra por la API, como un envío cualquiera.
Por qué existe: quien llega con años de ventas en una hoja de cálculo no debe escribir un programa.
"""

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedRandom, BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from alpespartners.cli.avance import Avance
from alpespartners.cli.clase import ALTERNATIVAS, NombreDeClase, clase_llamada, leer_nombre
from alpespartners.cli.cuantas import cuantas
from alpespartners.cli.destino import imprimible
from alpespartners.cli.direccion import DireccionDelServicio
from alpespartners.cli.no_se_pudo import no_se_pudo
from alpespartners.composicion.inicio import leer_ajustes
from alpespartners.modulos.tracking.aplicacion.clases import Clase

if TYPE_CHECKING:
    from alpespartners.traspaso.apuntes import Apuntes, Cuentas
    from alpespartners.traspaso.cliente import Cliente
    from alpespartners.traspaso.importacion import Formato

_FORMATOS: Final = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
_ENTRADA: Final = Path("-")
_A_LA_VEZ_MAXIMO: Final = 256


def importar(
    archivos: Annotated[
        list[Path], typer.Argument(help="Los archivos, .csv o .ndjson; «-» es la entrada estándar.")
    ],
    *,
    clase: Annotated[
        NombreDeClase | None,
        typer.Option(
            "--clase",
            parser=leer_nombre,
            metavar="<str>",
            help=f"De qué son las filas, {ALTERNATIVAS}; si falta, lo dice su columna de tipo.",
        ),
    ] = None,
    formato: Annotated[
        str | None, typer.Option("--formato", help="csv o ndjson; si falta, el del final del nombre.")
    ] = None,
    direccion: DireccionDelServicio = None,
    a_la_vez: Annotated[
        int,
        typer.Option("--a-la-vez", min=1, max=_A_LA_VEZ_MAXIMO, help="Lotes en vuelo a la vez, de 1 a 256."),
    ] = 8,
    espera: Annotated[
        float,
        typer.Option("--espera", min=0, max=3600, help="Segundos que se espera al servicio si se cae."),
    ] = 60.0,
    esperar: Annotated[
        bool, typer.Option("--esperar", help="Espera a saber en qué acaba cada fila; tarda más.")
    ] = False,
    de_nuevo: Annotated[bool, typer.Option("--de-nuevo", help="Olvida lo que hubiera a medias.")] = False,
) -> None:
    """Envía las filas de CSV o NDJSON a un servicio en marcha; si se interrumpe, se ejecuta otra vez.

    La clave, si hace falta, es la primera de ALPES_CLAVES_API. Si tiene prefijo, se antepone a cada id,
    también al que ya lo lleva: para lo que se exportó, use una que no lo tenga. Si tiene límite, se espera a
    que deje enviar. Si no es también de operacion, rechaza lo que trae lo que supo quien lo recibió.

    Las rechazadas quedan, cada una con su porqué, en ARCHIVO.rechazados.ndjson. Termina con 0 si se aceptaron
    todas, con 1 si alguna no y con 2 si no se pudo acabar.
    """
    from alpespartners.traspaso.cliente import IMPORTACIONES, Cliente

    configuracion = leer_ajustes()
    hacia = direccion or f"http://localhost:{configuracion.puerto}"
    clave = next(iter(configuracion.claves_api), None)
    por_leer = [(ruta, _formato(ruta, formato)) for ruta in archivos]
    rechazadas = 0
    for ruta, suyo in por_leer:
        cuentas = _importar_uno(
            ruta,
            suyo,
            Cliente(hacia, clave, espera=espera, con_destino=esperar, ruta=IMPORTACIONES),
            clase=None if clase is None else clase_llamada(clase),
            a_la_vez=a_la_vez,
            de_nuevo=de_nuevo,
        )
        rechazadas += cuentas.rechazadas
    if rechazadas:
        raise typer.Exit(1)


def _formato(ruta: Path, pedido: str | None) -> "Formato":
    match pedido or _FORMATOS.get(ruta.suffix.lower()):
        case "csv":
            return "csv"
        case "ndjson":
            return "ndjson"
        case _:
            raise no_se_pudo(
                f"No se sabe en qué formato está {_nombre(ruta)}: diga --formato csv o --formato ndjson."
            )


def _importar_uno(
    ruta: Path,
    formato: "Formato",
    cliente: "Cliente",
    *,
    clase: Clase | None,
    a_la_vez: int,
    de_nuevo: bool,
) -> "Cuentas":
    """Importa un archivo y dice qué fue de sus filas."""
    from alpespartners.traspaso.apuntes import Apuntes, OtraImportacion
    from alpespartners.traspaso.cliente import NoSePuedeEnviar
    from alpespartners.traspaso.filas import ArchivoIlegible
    from alpespartners.traspaso.importacion import importar as importar_con

    es_la_entrada = ruta == _ENTRADA
    try:
        with _abierto(ruta) as archivo:
            huella = hashlib.file_digest(archivo, "sha256").hexdigest()
            archivo.seek(0)
            base = Path("entrada") if es_la_entrada else ruta
            with (
                Apuntes(
                    base,
                    huella,
                    cliente.direccion,
                    se_sigue=not es_la_entrada,
                    de_nuevo=de_nuevo,
                ) as apuntes,
                Avance() as avance,
            ):
                if apuntes.linea:
                    avance.decir(f"{_nombre(ruta)}: se sigue tras la línea {apuntes.linea}.")
                try:
                    importar_con(
                        archivo,
                        formato,
                        cliente,
                        apuntes,
                        huella=huella,
                        clase=clase,
                        a_la_vez=a_la_vez,
                        avanza=avance.avanzar,
                    )
                except NoSePuedeEnviar as error:
                    raise no_se_pudo(f"{imprimible(str(error))} {_como_seguir(ruta, apuntes)}") from None
                except KeyboardInterrupt:
                    raise no_se_pudo(f"Interrumpida. {_como_seguir(ruta, apuntes)}") from None
    except (ArchivoIlegible, OtraImportacion) as error:
        raise no_se_pudo(f"{_nombre(ruta)}: {imprimible(str(error))}.") from None
    except OSError as error:
        raise no_se_pudo(
            f"No se puede leer {_nombre(ruta)} o escribir a su lado: {error.strerror}."
        ) from None
    for frase in _resumen(ruta, apuntes):
        typer.echo(frase)
    return apuntes.cuentas


@contextmanager
def _abierto(ruta: Path) -> Iterator[BufferedReader | BufferedRandom]:
    """El archivo, o una copia en el disco de la entrada estándar, que no se puede leer dos veces."""
    if ruta != _ENTRADA:
        with ruta.open("rb") as archivo:
            yield archivo
        return
    with tempfile.TemporaryFile() as copia:
        shutil.copyfileobj(sys.stdin.buffer, copia)
        copia.seek(0)
        yield copia


def _como_seguir(ruta: Path, apuntes: "Apuntes") -> str:
    if ruta == _ENTRADA:
        return f"Tienen respuesta las filas hasta la línea {apuntes.linea}; repetirla entera es seguro."
    return f"Se apuntó hasta la línea {apuntes.linea}: la misma orden sigue desde ahí."


def _nombre(ruta: Path) -> str:
    return "la entrada" if ruta == _ENTRADA else imprimible(str(ruta))


def _resumen(ruta: Path, apuntes: "Apuntes") -> Iterator[str]:
    cuentas = apuntes.cuentas
    partes = [cuantas(cuentas.filas, "fila", "filas"), *_acabaron(cuentas)]
    yield f"{_nombre(ruta)}: {', '.join(partes)}."
    for motivo, rechazadas in sorted(cuentas.motivos.items()):
        yield f"  {imprimible(motivo)}: {rechazadas}"
    if cuentas.rechazadas:
        yield f"Las rechazadas están en {imprimible(str(apuntes.ruta_de_rechazadas))}."


def _acabaron(cuentas: "Cuentas") -> Iterator[str]:
    """Cómo acabaron, sin lo que no fue de ninguna."""
    con_diferencias = "con diferencias que no deciden el dinero"
    suertes = (
        (cuentas.aceptadas, "aceptada", "aceptadas"),
        (cuentas.registradas, "registrada", "registradas"),
        (cuentas.ya_estaban, "que ya estaba", "que ya estaban"),
        (cuentas.difieren, con_diferencias, con_diferencias),
        (cuentas.rechazadas, "rechazada", "rechazadas"),
    )
    return (cuantas(*suerte) for suerte in suertes if suerte[0])
