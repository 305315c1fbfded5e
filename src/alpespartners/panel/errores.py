"""Cómo se cuenta un error a quien mira el panel: qué pasa, y qué hacer ahora.

Qué es: por el código estable del error, frases para una persona, que se traducen como las de las plantillas.
Qué no es: el problema que lee un programa (`api/http/problemas.py`), que habla de cabeceras y de órdenes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec import UNSET

from alpespartners.api.http.problemas import DatosInvalidos, ErrorHTTP, Falta, SinPermiso
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.panel.idiomas import Frases, Idioma, traducciones
from alpespartners.seedwork.orden import ORDEN


@dataclass(frozen=True, slots=True)
class FaltaExplicada:
    """Lo que un dato incumple; `en_español`, la frase entera, si en el idioma de quien mira se sabe menos."""

    campo: str
    frase: str
    en_español: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explicacion:
    """Lo que dice la página de un error.

    Attributes:
        segundos: los que conviene esperar antes de repetirlo.
        otra_clave: si con otra clave se podría.
    """

    titulo: str
    detalle: str
    que_hacer: str
    segundos: str | None
    otra_clave: bool
    faltas: tuple[FaltaExplicada, ...]


@dataclass(frozen=True, slots=True)
class Frase:
    """Lo que se dice de un error: su título, qué pasa y qué hacer."""

    titulo: str
    detalle: str
    que_hacer: str


_REPETIR: Final = (
    "Vuelva a cargar la página dentro de un momento; si sigue igual, avise a quien opera el servicio."
)
_CORREGIR: Final = "Corrija la dirección, o vuelva a empezar desde las campañas."
_CORREGIRLO: Final = "Corríjalo, o vuelva a empezar desde las campañas."
_PEDIR_CLAVE: Final = "Pida a quien opera el servicio una clave que lo permita, y entre con ella."
_NO_SE_MANDO: Final = "No se ha hecho nada. Vuelva a cargar la página y repítalo."

POR_CODIGO: Final[Mapping[str, Frase]] = {
    "acceso_solo_local": Frase(
        "Solo desde la máquina del servicio",
        "Mientras no tenga claves, el servicio solo atiende a su propia máquina, y sin intermediarios.",
        "Ábralo en esa máquina, o pida a quien lo opera que cree una clave: «%(orden)s claves crear».",
    ),
    "anfitrion_desconocido": Frase(
        "Nombre desconocido",
        "Mientras no tenga claves, el servicio solo atiende a los nombres locales, y este es otro.",
        "Ábralo como http://localhost, o pida a quien lo opera que añada ese nombre a ALPES_NOMBRES.",
    ),
    "base_de_datos_no_disponible": Frase(
        "Ahora no se puede consultar",
        "La base de datos no responde. Lo que llega se sigue recibiendo y no se pierde.",
        _REPETIR,
    ),
    "clave_requerida": Frase(
        "Hace falta una clave", "Esta página la ve quien entra con una clave que vale.", "Entre con la suya."
    ),
    "claves_desconocidas": Frase(
        "Aún no se saben las claves",
        "El servicio acaba de empezar y todavía no ha podido leer las claves.",
        _REPETIR,
    ),
    "cuerpo_demasiado_grande": Frase(
        "Demasiado grande", "Lo que se envió no cabe en un formulario de esta página.", _NO_SE_MANDO
    ),
    "datos_invalidos": Frase("Algo no vale", "De lo que se pidió, esto no vale:", _CORREGIRLO),
    "demasiados_envios": Frase(
        "Demasiadas peticiones",
        "Su clave tiene un límite por segundo, y lo ha gastado.",
        "Espere y vuelva a cargar la página.",
    ),
    "direccion_demasiado_larga": Frase(
        "Dirección demasiado larga", "La dirección de la página es más larga de lo que se admite.", _CORREGIR
    ),
    "error_interno": Frase(
        "Algo falló", "El servicio falló al preparar la página, y ya quedó anotado en su registro.", _REPETIR
    ),
    "formulario_ajeno": Frase(
        "Enviado desde otro sitio",
        "Lo que se envió no salió de una página de este panel, y no se ha hecho nada.",
        "Abra el panel y hágalo desde ahí.",
    ),
    "formulario_caducado": Frase(
        "Esta página ya no vale",
        "La página desde la que se envió es de antes, o el navegador no guarda galletas.",
        _NO_SE_MANDO,
    ),
    "metodo_no_permitido": Frase(
        "Esto no se pide así", "Esta dirección existe, y no para lo que se le pidió.", _CORREGIR
    ),
    "no_encontrado": Frase(
        "No hay nada aquí", "En esta dirección del panel no hay ninguna página.", _CORREGIR
    ),
    "sin_permiso": Frase("Sin permiso", "Su clave no deja ver esto.", _PEDIR_CLAVE),
}
"""Los que puede ver quien mira; de los demás se dice lo que ellos digan."""
_DE_OTRAS_CAMPAÑAS: Final = "Su clave es de unas campañas, y solo deja ver lo que es de ellas."
_DE_OTRO_ALCANCE: Final = "Esta página pide una clave con el alcance «%(alcance)s», y la suya no lo tiene."
_OTRO_ERROR: Final = "No se pudo atender la petición."

_NO_VALE: Final = "este valor no vale aquí"
"""Lo único cierto de todas las faltas de un parámetro; cuál es lo dice la frase en español."""
_POR_FALTA: Final[Mapping[str, str]] = {
    "cursor_invalido": "no es un lugar de esta lista: vuelva a su primera página",
    "longitud_excedida": "es demasiado largo",
    "parametro_desconocido": "no es un parámetro de esta página",
    "campo_desconocido": "no es un campo de este formulario",
    "requerido": "falta",
    "sin_permiso": "su clave no vale para esto",
    "timestamp_ilegible": "no es una fecha ni un instante",
    "valor_no_permitido": "no es de los valores que se admiten",
}
"""Lo que dice cada falta por su código, a quien no lee la frase entera, que está en español."""


def explicacion_de(error: ErrorHTTP, idioma: Idioma) -> Explicacion:
    """Lo que dice la página de ese error; de uno que aquí no se conoce, lo que diga él, en español."""
    decir = Frases(idioma).gettext
    problema = error.problema
    frases = POR_CODIGO.get(error.codigo)
    if frases is None:
        propio = problema.detail if idioma is Idioma.ESPAÑOL else decir(_OTRO_ERROR)
        titulo, detalle, que_hacer = problema.title, propio, decir(_REPETIR)
    else:
        titulo, detalle = decir(frases.titulo), decir(frases.detalle)
        que_hacer = decir(frases.que_hacer) % {"orden": ORDEN}
    if isinstance(problema, SinPermiso):
        if problema.alcance is not UNSET:
            detalle = decir(_DE_OTRO_ALCANCE) % {"alcance": problema.alcance}
        elif problema.errores is not UNSET:
            detalle = decir(_DE_OTRAS_CAMPAÑAS)
        elif idioma is Idioma.ESPAÑOL:
            detalle = problema.detail
    return Explicacion(
        titulo=titulo,
        detalle=detalle,
        que_hacer=que_hacer,
        segundos=(error.cabeceras or {}).get("Retry-After"),
        otra_clave=isinstance(problema, SinPermiso),
        faltas=tuple(
            falta_explicada(falta, idioma)
            for falta in (problema.errores if isinstance(problema, DatosInvalidos) else ())
        ),
    )


def falta_explicada(falta: Falta, idioma: Idioma) -> FaltaExplicada:
    """Lo que se dice de una falta en ese idioma."""
    if idioma is Idioma.ESPAÑOL:
        return FaltaExplicada(falta.campo, falta.mensaje, "")
    decir = Frases(idioma).gettext
    # La frase entera dice más que su código.
    conocida = falta.mensaje if falta.mensaje in traducciones(idioma) else _POR_FALTA.get(falta.codigo)
    if conocida is not None:
        return FaltaExplicada(falta.campo, decir(conocida), "")
    general = decir(_NO_VALE) if falta.codigo == CodigoDePeticion.PARAMETRO_INVALIDO else ""
    return FaltaExplicada(falta.campo, general, falta.mensaje)
