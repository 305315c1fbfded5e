"""Los formularios que cambian algo: cómo se leen, y cómo se sabe que los envió una página de este panel.

Qué es: cada página que lleva uno (`{{ formulario.campo() }}`) lleva un testigo al azar, que el navegador
guarda además en una galleta; al enviarlo han de llegar los dos y ser el mismo.
Qué no es: quién puede enviarlo, que lo dice el alcance de su ruta; ni los que solo preguntan, que van en la
dirección (`leer_parametros`).
Por qué existe: una página ajena puede hacer que un navegador envíe lo que sea a este servicio, con sus
galletas o desde su máquina. Lo que no puede es leer el testigo, ni decir que no es de otro sitio.
"""

import hmac
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.cuerpo import SEGUNDOS_MAXIMOS, leer_cuerpo
from alpespartners.api.http.limites import LimitesDeCuerpo
from alpespartners.api.http.problemas import ErrorHTTP, nombre_seguro
from alpespartners.api.http.tipos_de_medio import FORMULARIO
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.dominio.excepciones import DatosInvalidos, Fallo, Recolector
from alpespartners.panel.galletas import poner_galleta

TESTIGO: Final = "testigo"
GALLETA_DE_FORMULARIO: Final = "alpes_formulario"
CAMPOS_MAXIMOS: Final = 32
LIMITES: Final = LimitesDeCuerpo(octetos=16 * 1024, comprimidos=16 * 1024, tipos=(FORMULARIO,))
_OCTETOS_DEL_TESTIGO: Final = 32
_ES_TESTIGO: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_DE_ESTE_SITIO: Final = frozenset({"same-origin", "none"})


class Formulario:
    """El testigo de los formularios de una página, que solo se le da al navegador si lleva alguno.

    Args:
        peticion: la de la página; el testigo que ya traía sirve: quien tiene dos abiertas envía las dos.
    """

    def __init__(self, peticion: Request) -> None:
        self._peticion = peticion
        self._traido = _testigo_de(peticion)
        self._testigo: str | None = None

    def campo(self) -> Markup:
        """El campo oculto que lo lleva; va dentro de cada `<form method="post">`."""
        self._testigo = self._traido or secrets.token_urlsafe(_OCTETOS_DEL_TESTIGO)
        self._traido = self._testigo
        return Markup('<input type="hidden" name="{}" value="{}">').format(TESTIGO, self._testigo)

    def dejar(self, respuesta: Response) -> None:
        """Deja la galleta en la respuesta con la página, si la página lleva el testigo."""
        if self._testigo is not None:
            poner_galleta(respuesta, self._peticion, GALLETA_DE_FORMULARIO, self._testigo, sitio="strict")


async def leer_formulario(peticion: Request, conocidos: Collection[str]) -> Mapping[str, str]:
    """Devuelve los campos conocidos de un formulario enviado desde este panel; uno vacío no está.

    Raises:
        ErrorHTTP: 403, no se envió desde una página de este panel, o desde una que ya no vale; 413, 415 o
            408, el cuerpo no es el de un formulario pequeño.
        DatosInvalidos: hay campos desconocidos, repetidos o que no son UTF-8; se nombran todos.
    """
    if not _viene_de_este_sitio(peticion):
        raise _ajeno()
    cuerpo = await leer_cuerpo(peticion, SEGUNDOS_MAXIMOS, LIMITES)
    pares = _pares(cuerpo)
    if not _lleva_su_testigo(peticion, pares):
        raise _caducado()
    recolector = Recolector()
    leidos: dict[str, str] = {}
    for nombre, valor in pares:
        if nombre == TESTIGO:
            continue
        if nombre not in conocidos:
            admitidos = ", ".join(sorted(conocidos)) or "ninguno"
            recolector.anotar(
                nombre_seguro(nombre),
                CodigoDePeticion.CAMPO_DESCONOCIDO,
                f"no es un campo de este formulario; los que hay: {admitidos}",
            )
        elif nombre in leidos:
            recolector.anotar(nombre, CodigoDePeticion.PARAMETRO_INVALIDO, "aparece más de una vez")
        else:
            leidos[nombre] = valor
    recolector.exigir()
    return {nombre: valor for nombre, valor in leidos.items() if valor}


def _pares(cuerpo: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            cuerpo.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=CAMPOS_MAXIMOS,
        )
    except UnicodeDecodeError:
        falta = "no es UTF-8"
    except ValueError:
        falta = f"hay más de {CAMPOS_MAXIMOS} campos"
    raise DatosInvalidos([Fallo("", CodigoDePeticion.PARAMETRO_INVALIDO, falta)])


def _lleva_su_testigo(peticion: Request, pares: Sequence[tuple[str, str]]) -> bool:
    llegados = [valor for nombre, valor in pares if nombre == TESTIGO]
    guardado = _testigo_de(peticion)
    return (
        len(llegados) == 1
        and guardado is not None
        and hmac.compare_digest(llegados[0].encode("utf-8"), guardado.encode("utf-8"))
    )


def _testigo_de(peticion: Request) -> str | None:
    guardado = peticion.cookies.get(GALLETA_DE_FORMULARIO, "")
    return guardado if _ES_TESTIGO.fullmatch(guardado) else None


def _viene_de_este_sitio(peticion: Request) -> bool:
    """Lo que dice el navegador de dónde se envió; el que es muy antiguo no dice nada, y decide el testigo."""
    cabeceras = peticion.headers
    sitio = cabeceras.get("sec-fetch-site")
    if sitio is not None:
        return sitio in _DE_ESTE_SITIO
    origen = cabeceras.get("origin")
    if origen is None:
        return True
    try:
        lugar = urlsplit(origen).netloc
    except ValueError:
        return False
    # Un intermediario puede llamar al servicio por otro nombre; una página ajena no puede decirlo.
    return lugar != "" and lugar in {cabeceras.get("host"), cabeceras.get("x-forwarded-host")}


def _ajeno() -> ErrorHTTP:
    return ErrorHTTP(
        403,
        "formulario_ajeno",
        "Formulario de otro sitio",
        "Esto no se envió desde una página de este panel, y no se ha hecho nada. Abra el panel y hágalo "
        "desde ahí.",
    )


def _caducado() -> ErrorHTTP:
    return ErrorHTTP(
        403,
        "formulario_caducado",
        "Esta página ya no vale",
        "No se ha hecho nada: la página desde la que se envió es de antes, o el navegador no guarda "
        "galletas. Vuelva a cargarla y repítalo.",
    )
