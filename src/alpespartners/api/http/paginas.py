"""Lo que comparten las lecturas por páginas: leer sus parámetros, y responder una página o todo lo que haya.

Qué es: dos grafías de un parámetro son el mismo, y todas las faltas de una petición se dicen a la vez; cómo
se responde en cada formato, y el enlace a la página siguiente.
Qué no es: lo que se pide ni el cursor (`aplicacion/consultas`).

En CSV y NDJSON, sin `limite` va todo: se sigue el cursor de cada página, como haría quien las pide. Cada una
es una lectura corta, y entre una y otra no queda ninguna transacción abierta.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.claves import exigir_campaña
from alpespartners.api.http.descargas import Cuerpos, archivo, descarga, escritura
from alpespartners.api.http.descripcion import Esquema, Parametro
from alpespartners.api.http.formatos import PARAMETRO, VARIA, Formato, formato_pedido
from alpespartners.api.http.parametros import leer_parametros
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.modulos.tracking.aplicacion.consultas.cursores import LIMITE_MAXIMO, LIMITE_POR_OMISION
from alpespartners.modulos.tracking.aplicacion.mapeadores import ALIAS
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, DatosInvalidos, Recolector

P = TypeVar("P")

_CAMPAÑA: Final = "campaña_id"

ENLACE: Final[Esquema] = {
    "description": 'La página siguiente, si la hay: `<…>; rel="next"` (RFC 8288).',
    "schema": {"type": "string", "pattern": '^<[^>]+>; rel="next"$'},
}


def parametro_limite(descripcion: str) -> Parametro:
    """El que dice cuántos elementos se piden."""
    return Parametro(
        nombre="limite",
        lugar="query",
        esquema={
            "type": "integer",
            "minimum": 1,
            "maximum": LIMITE_MAXIMO,
            "default": LIMITE_POR_OMISION,
        },
        descripcion=descripcion,
    )


def parametro_cursor(para_que_vale: str) -> Parametro:
    """El que dice por dónde se sigue."""
    return Parametro(
        nombre="cursor",
        lugar="query",
        esquema={"type": "string", "minLength": 1},
        descripcion=f"El `siguiente` de la página anterior; {para_que_vale}",
    )


class Pagina(Protocol):
    """Lo que tiene el cuerpo de toda página."""

    @property
    def elementos(self) -> Sequence[msgspec.Struct]:
        """Los suyos."""

    @property
    def siguiente(self) -> str | None:
        """El cursor de la página que sigue, si la hay."""


@dataclass(frozen=True, slots=True)
class Leida(Generic[P]):
    """Una petición de páginas ya leída.

    Attributes:
        parametros: los que trae, por su nombre canónico.
        pedido: lo que con ellos se pide.
    """

    parametros: Mapping[str, str]
    pedido: P
    formato: Formato

    @property
    def pide_todo(self) -> bool:
        """Si no pide una página, sino todo lo que haya."""
        return self.formato is not Formato.JSON and "limite" not in self.parametros

    def enlace(self, direccion: str, cursor: str) -> Mapping[str, str]:
        """La cabecera que lleva a la página de ese cursor, con los mismos filtros."""
        return {"Link": f'<{direccion}?{urlencode({**self.parametros, "cursor": cursor})}>; rel="next"'}

    def nombre(self, *que: str | None) -> Sequence[str | None]:
        """De qué partes se hace el nombre del archivo con eso."""
        return (*que, self.parametros.get("desde"), self.parametros.get("hasta"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listado(Generic[P]):
    """Una lectura por páginas que se acaba.

    Attributes:
        direccion: la de sus páginas, codificada.
        nombre: qué es y de quién, para el del archivo.
        forma: la de cada elemento.
        admitidos: los parámetros que admite, además de `formato`.
        leer: de los parámetros, lo que se pide; lanza `DatosInvalidos`.
        pagina: la lee.
    """

    direccion: str
    nombre: Sequence[str]
    forma: type[msgspec.Struct]
    admitidos: Collection[str]
    leer: Callable[[Mapping[str, str]], P]
    pagina: Callable[[P], Awaitable[Pagina]]

    async def responder(self, peticion: Request) -> Response:
        """La página pedida o, en CSV y NDJSON si no se dice cuántos, todo.

        Si no es ya de una campaña, una clave con las suyas ha de decir de cuál.

        Raises:
            DatosInvalidos: con todas las faltas.
        """
        leida = leer_peticion(peticion, self.admitidos, self.leer)
        if _CAMPAÑA in self.admitidos:
            exigir_campaña(peticion, leida.parametros.get(_CAMPAÑA))
        nombre = leida.nombre(*self.nombre)
        if leida.pide_todo:
            paginas = todas(leida.parametros, self.leer, self.pagina)
            return await descarga(peticion, escritura(leida.formato, self.forma), paginas, nombre)
        hallada = await self.pagina(leida.pedido)
        respuesta = await en_su_formato(leida.formato, self.forma, hallada, nombre)
        if hallada.siguiente is not None:
            respuesta.headers.update(leida.enlace(self.direccion, hallada.siguiente))
        return respuesta


def leer_peticion(
    peticion: Request, admitidos: Collection[str], leer: Callable[[Mapping[str, str]], P]
) -> Leida[P]:
    """Lee los parámetros, `formato` entre ellos, y lo que con los demás se pide.

    Raises:
        DatosInvalidos: con todas las faltas: las de los parámetros y las de lo que dicen.
    """
    recolector = Recolector()
    alias = {nombre for nombre, canonico in ALIAS.items() if canonico in admitidos}
    escritos = leer_parametros(peticion.scope["query_string"], {*admitidos, *alias, PARAMETRO}, recolector)
    parametros: dict[str, str] = {}
    for nombre, valor in escritos.items():
        canonico = ALIAS.get(nombre, nombre)
        if parametros.setdefault(canonico, valor) != valor:
            recolector.anotar(canonico, Codigo.CAMPO_REPETIDO, "aparece con dos grafías y valores distintos")
    formato = recolector.intentar(formato_pedido, peticion, parametros)
    try:
        pedido = leer(parametros)
    except DatosInvalidos as invalidos:
        raise DatosInvalidos([*recolector.fallos, *invalidos.fallos]) from None
    recolector.exigir()
    return Leida(parametros, pedido, formato or Formato.JSON)


async def en_su_formato(
    formato: Formato, forma: type[msgspec.Struct], pagina: Pagina, nombre: Sequence[str | None]
) -> Response:
    """La respuesta con esa página: entera en JSON, y solo sus elementos en los demás."""
    if formato is Formato.JSON:
        return RespuestaJSON(pagina, headers=VARIA)
    return await archivo(escritura(formato, forma), pagina.elementos, nombre)


async def todas(
    parametros: Mapping[str, str],
    leer: Callable[[Mapping[str, str]], P],
    pagina: Callable[[P], Awaitable[Pagina]],
) -> AsyncIterator[Cuerpos]:
    """Lo que haya, de mil en mil, desde el cursor de los parámetros si lo traen."""
    suyos: dict[str, Any] = {**parametros, "limite": str(LIMITE_MAXIMO)}
    while True:
        hallada = await pagina(leer(suyos))
        siguiente = hallada.siguiente
        yield hallada.elementos
        if siguiente is None:
            return
        suyos["cursor"] = siguiente
