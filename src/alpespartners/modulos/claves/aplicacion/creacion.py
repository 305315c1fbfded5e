"""Crear una clave: de lo que se pide, escrito por una persona, a la clave y su texto.

Qué es: la lectura de cada dato con todas sus faltas, y el secreto al azar.
Qué no es: guardarla (`infraestructura/almacen.py`) ni enseñarla (`cli/claves.py`).
"""

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Final, TypeVar

from alpespartners.modulos.claves.dominio.clave import (
    Alcance,
    ClaveGuardada,
    Dialecto,
    resumen_de,
    texto_de,
    texto_publico_de,
)
from alpespartners.modulos.claves.dominio.origen import leer_origen
from alpespartners.modulos.tracking.aplicacion.invisibles import falta_de_invisible
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido
from alpespartners.modulos.tracking.dominio.objetos_valor import identificador

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

LONGITUD_DEL_NOMBRE: Final = 64
LONGITUD_DEL_PREFIJO: Final = 32
CAMPAÑAS_MAXIMAS: Final = 100
ORIGENES_MAXIMOS: Final = 20
LIMITE_MAXIMO: Final = 1_000_000

_PREFIJO: Final = re.compile(rf"[A-Za-z0-9._:-]{{0,{LONGITUD_DEL_PREFIJO}}}")
_LETRAS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
"""Sin las que se confunden al leerlas en voz alta."""
_LONGITUD_DE_LA_IDENTIDAD: Final = 12
_OCTETOS_DEL_SECRETO: Final = 32
_OCTETOS_DE_LA_SAL: Final = 16


class ClaveImposible(Exception):
    """No se puede crear la clave que se pide.

    Attributes:
        faltas: por qué, una frase por cada una, que nombra la opción.
    """

    def __init__(self, faltas: Sequence[str]) -> None:
        super().__init__("; ".join(faltas))
        self.faltas = faltas


@dataclass(frozen=True, slots=True, kw_only=True)
class ClavePedida:
    """Lo que se pide de una clave, tal como se escribió."""

    nombre: str
    alcances: Sequence[str] = ()
    campañas: Sequence[str] = ()
    prefijo: str = ""
    caduca: str | None = None
    limite: int | None = None
    dialecto: str | None = None
    origenes: Sequence[str] = ()


def nueva_clave(pedida: ClavePedida, ahora: datetime) -> tuple[ClaveGuardada, str]:
    """La clave pedida, y su texto, que no se puede volver a saber si no es pública.

    Raises:
        ClaveImposible: con todas las faltas.
    """
    faltas: list[str] = []

    def leer(dato: Callable[[ClavePedida], T], si_no: T) -> T:
        try:
            return dato(pedida)
        except ValueError as falta:
            faltas.append(str(falta))
            return si_no

    nombre = leer(_nombre, "")
    dialecto = leer(_dialecto, None)
    ningunos: frozenset[Alcance] = frozenset()
    alcances = leer(_alcances, ningunos)
    campañas = leer(_campañas, None)
    prefijo = leer(_prefijo, "")
    limite = leer(_limite, None)
    caduca_en = leer(lambda suya: _caducidad(suya, ahora), None)
    ningun_origen: frozenset[str] = frozenset()
    origenes = leer(_origenes, ningun_origen)
    if alcances:
        faltas += _de_sus_alcances(alcances, pedida)
    if faltas:
        raise ClaveImposible(faltas)
    identidad = "".join(secrets.choice(_LETRAS) for _ in range(_LONGITUD_DE_LA_IDENTIDAD))
    secreto = secrets.token_urlsafe(_OCTETOS_DEL_SECRETO)
    sal = secrets.token_bytes(_OCTETOS_DE_LA_SAL)
    guardada = ClaveGuardada(
        identidad=identidad,
        nombre=nombre,
        sal=sal,
        resumen=resumen_de(secreto, sal),
        alcances=alcances,
        dialecto=dialecto,
        campañas=campañas,
        prefijo=prefijo,
        limite=limite,
        caduca_en=caduca_en,
        creada_en=ahora,
        origenes=origenes,
    )
    # El secreto de una pública se olvida aquí: nadie puede presentarla como si lo tuviera.
    return guardada, texto_publico_de(identidad) if guardada.es_publica else texto_de(identidad, secreto)


def parece_identidad(texto: str) -> bool:
    """Dice si ese texto tiene la forma de la identidad de una clave, que un secreto no tiene."""
    return len(texto) == _LONGITUD_DE_LA_IDENTIDAD and set(texto) <= set(_LETRAS)


def _nombre(pedida: ClavePedida) -> str:
    nombre = pedida.nombre.strip()
    if not nombre or not nombre.isprintable() or len(nombre) > LONGITUD_DEL_NOMBRE:
        raise ValueError(f"--nombre debe tener de 1 a {LONGITUD_DEL_NOMBRE} caracteres, que se puedan ver")
    return nombre


def _dialecto(pedida: ClavePedida) -> Dialecto | None:
    return None if pedida.dialecto is None else _uno_de(Dialecto, "--dialecto", pedida.dialecto)


def _alcances(pedida: ClavePedida) -> frozenset[Alcance]:
    alcances = frozenset(_uno_de(Alcance, "--alcance", escrito) for escrito in pedida.alcances)
    if not alcances and pedida.dialecto is None:
        raise ValueError(f"--alcance falta: diga uno o más de {', '.join(Alcance)}")
    return alcances or frozenset({Alcance.CAPTURA})


def _campañas(pedida: ClavePedida) -> frozenset[str] | None:
    if not pedida.campañas:
        return None
    if len(pedida.campañas) > CAMPAÑAS_MAXIMAS:
        raise ValueError(f"--campaña se puede repetir hasta {CAMPAÑAS_MAXIMAS} veces; sin ella, valen todas")
    try:
        campañas = frozenset(identificador("--campaña", escrita) for escrita in pedida.campañas)
    except CampoInvalido as falta:
        raise ValueError(str(falta)) from None
    for escrita in pedida.campañas:
        invisible = falta_de_invisible(escrita)
        if invisible is not None:
            raise ValueError(f"--campaña: {invisible}")
    return campañas


def _prefijo(pedida: ClavePedida) -> str:
    if not _PREFIJO.fullmatch(pedida.prefijo):
        raise ValueError(
            f"--prefijo admite hasta {LONGITUD_DEL_PREFIJO} letras sin tilde, cifras, puntos, dos puntos y "
            "guiones: tienda-"
        )
    return pedida.prefijo


def _limite(pedida: ClavePedida) -> int | None:
    if pedida.limite is not None and not 1 <= pedida.limite <= LIMITE_MAXIMO:
        raise ValueError(f"--limite debe ser un número de eventos por segundo, de 1 a {LIMITE_MAXIMO}")
    return pedida.limite


def _caducidad(pedida: ClavePedida, ahora: datetime) -> datetime | None:
    if pedida.caduca is None:
        return None
    caduca_en = _instante(pedida.caduca)
    if caduca_en is None:
        raise ValueError(
            "--caduca debe ser una fecha (2027-01-01, que es cuando empieza ese día en UTC) o un instante "
            "con su zona (2027-01-01T12:00:00-05:00)"
        )
    if caduca_en <= ahora:
        raise ValueError("--caduca ya pasó: una clave así no valdría nunca")
    return caduca_en


def _origenes(pedida: ClavePedida) -> frozenset[str]:
    if len(pedida.origenes) > ORIGENES_MAXIMOS:
        raise ValueError(f"--origen se puede repetir hasta {ORIGENES_MAXIMOS} veces")
    try:
        return frozenset(map(leer_origen, pedida.origenes))
    except ValueError:
        raise ValueError(
            "--origen debe ser el de una página, sin nada detrás: https://tienda.com, "
            "https://tienda.com:8443 o https://*.tienda.com, que son los nombres que cuelgan de tienda.com "
            "(los que no son ASCII, en punycode)"
        ) from None


def _instante(escrito: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(escrito), time(), UTC)
    except ValueError:
        pass
    try:
        instante = datetime.fromisoformat(escrito)
        return None if instante.tzinfo is None else instante.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _de_sus_alcances(alcances: frozenset[Alcance], pedida: ClavePedida) -> list[str]:
    """Lo que no va con ellos: una clave que promete lo que no hace engaña a quien la crea."""
    faltas = []
    if pedida.dialecto is not None and alcances != {Alcance.CAPTURA}:
        faltas.append("--dialecto solo va con --alcance captura: con el protocolo de otros solo se envía")
    if pedida.campañas and Alcance.OPERACION in alcances:
        faltas.append(
            "--campaña no va con --alcance operacion, que ve cuentas de todas: cree una clave para cada cosa"
        )
    if pedida.prefijo and not alcances & {Alcance.CAPTURA, Alcance.NAVEGADOR}:
        faltas.append("--prefijo solo va con --alcance captura o navegador: se antepone a lo que se envía")
    return faltas + _de_una_publica(alcances, pedida)


def _de_una_publica(alcances: frozenset[Alcance], pedida: ClavePedida) -> list[str]:
    """La ve cualquiera que mire la página: solo vale lo que se haya cerrado al crearla."""
    if Alcance.NAVEGADOR not in alcances:
        return ["--origen solo va con --alcance navegador"] if pedida.origenes else []
    faltas = []
    if len(alcances) > 1:
        faltas.append("--alcance navegador va solo: su clave está a la vista en la página")
    if not pedida.origenes:
        faltas.append("--origen falta: diga desde qué páginas vale, como https://tienda.com")
    if not pedida.campañas:
        faltas.append("--campaña falta: con --alcance navegador hay que decir de cuáles es")
    return faltas


def _uno_de(enumeracion: type[E], opcion: str, escrito: str) -> E:
    try:
        return enumeracion(escrito.strip().lower())
    except ValueError:
        raise ValueError(f"{opcion} debe ser {' o '.join(enumeracion)}") from None
