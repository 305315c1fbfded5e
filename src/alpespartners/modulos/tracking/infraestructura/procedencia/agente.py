"""De un agente de usuario, su navegador, su sistema, qué dispositivo es y qué aplicación lo abrió.

Qué es: un paso puro de la lectura. Navegador y sistema los dicen las reglas de uap-core; el dispositivo y la
aplicación, unas pocas palabras.
Qué no es: el juicio de si es un robot (`robot.py`).
Por qué existe: quien paga una campaña pregunta si la vieron en un móvil o dentro de Instagram.

Ningún agente cuesta más que unas décimas de milisegundo: las expresiones se evalúan en tiempo lineal, se lee
solo su principio, y faltan las que buscan robots que no se conocen, que son las únicas caras.
"""

from typing import Final, NamedTuple

from ua_parser import Parser
from ua_parser.loaders import load_lazy_builtins
from ua_parser.regex import Resolver

LEIDOS: Final = 512
"""Los caracteres de un agente que se leen: los de un navegador de verdad no llegan."""

_LONGITUD_DE_UN_NOMBRE: Final = 64
CARAS: Final = ("^.{0,200}?", "(CSimpleSpider|")
"""Así empiezan las reglas que buscan un robot por su forma, o uno de cientos: un texto hecho para ellas
cuesta milisegundos, y a los robots ya los conoce quien los juzga."""

_APLICACIONES: Final = (
    ("Barcelona ", "Threads"),
    ("Instagram ", "Instagram"),
    ("FBAN/Messenger", "Messenger"),
    ("FB_IAB/MESSENGER", "Messenger"),
    ("FBAN/", "Facebook"),
    ("FBAV/", "Facebook"),
    ("FB_IAB/", "Facebook"),
    ("musical_ly", "TikTok"),
    ("com.zhiliaoapp.musically", "TikTok"),
    ("BytedanceWebview", "TikTok"),
    ("trill_", "TikTok"),
    ("TwitterAndroid", "X"),
    ("Twitter for ", "X"),
    ("Snapchat", "Snapchat"),
    ("[Pinterest/", "Pinterest"),
    ("Pinterest for ", "Pinterest"),
    ("LinkedInApp", "LinkedIn"),
    ("WhatsApp/", "WhatsApp"),
    ("Telegram-", "Telegram"),
    ("MicroMessenger", "WeChat"),
    (" Line/", "Line"),
    ("KAKAOTALK", "KakaoTalk"),
    ("GSA/", "Google"),
)
"""Lo que pone en el agente cada aplicación que abre los enlaces en su propio navegador; manda la primera."""

_DE_TELEVISOR: Final = ("SMART-TV", "SmartTV", "Smart TV", "HbbTV", "AppleTV", "Apple TV", "Web0S", "BRAVIA")
_DE_TABLETA: Final = ("iPad", "Tablet", "PlayBook", "Kindle", "Silk/")
_DE_MOVIL: Final = ("iPhone", "iPod", "Mobile", "Android", "Opera Mini", "BlackBerry", "KAIOS")
_DE_ESCRITORIO: Final = ("Windows NT", "Macintosh", "X11;", "CrOS", "Linux x86_64")


class Agente(NamedTuple):
    """Lo que dice un agente; lo que no se sabe es `None`."""

    navegador: str | None = None
    sistema: str | None = None
    dispositivo: str | None = None
    aplicacion: str | None = None


class LectorDeAgentes:
    """Lee agentes de usuario; prepararlo cuesta una décima de segundo y unos 25 MB."""

    def __init__(self) -> None:
        navegadores, sistemas, _ = load_lazy_builtins()
        conocidos = [regla for regla in navegadores if not regla.regex.startswith(CARAS)]
        self._reglas = Parser(Resolver((conocidos, sistemas, [])))

    def leer(self, agente: str) -> Agente:
        """Lo que dice ese agente."""
        leido = agente[:LEIDOS]
        navegador = self._reglas.parse_user_agent(leido)
        sistema = self._reglas.parse_os(leido)
        return Agente(
            navegador=None if navegador is None else _nombre(navegador.family),
            sistema=None if sistema is None else _nombre(sistema.family),
            dispositivo=_dispositivo(leido),
            aplicacion=next((nombre for seña, nombre in _APLICACIONES if seña in leido), None),
        )


def _nombre(familia: str) -> str | None:
    """Hay reglas que lo copian del agente, que puede decir cualquier cosa."""
    nombre = familia[:_LONGITUD_DE_UN_NOMBRE].strip()
    return nombre if nombre.isprintable() and nombre else None


def _dispositivo(agente: str) -> str:
    if _tiene(agente, _DE_TELEVISOR):
        return "tv"
    if _tiene(agente, _DE_TABLETA):
        return "tableta"
    if "Android" in agente and "AppleWebKit" in agente and "Mobile" not in agente:
        # Un navegador de Android dice Mobile si es de un teléfono (developer.chrome.com, «User-Agent»).
        return "tableta"
    if _tiene(agente, _DE_MOVIL):
        return "movil"
    return "escritorio" if _tiene(agente, _DE_ESCRITORIO) else "otro"


def _tiene(agente: str, señas: tuple[str, ...]) -> bool:
    return any(seña in agente for seña in señas)
