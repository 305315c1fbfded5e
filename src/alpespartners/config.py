"""La configuración: el único lugar que lee el entorno.

Qué es: los ajustes del contrato, todos opcionales, comprobados al arrancar.
Qué no es: un almacén de secretos; una clave o un token nunca aparecen en un registro ni en un error.
Por qué existe: un ajuste mal escrito detiene el proceso con una frase que lo nombra, en vez de
descubrirse de noche. Por qué no usa una biblioteca: docs/decisiones/0006.
"""

import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import platformdirs

from alpespartners.seedwork.arranque import ErrorDeArranque

T = TypeVar("T")

_NIVELES = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_ESPACIO = re.compile(r"[\w.=:-]+/[\w.=:-]+", re.ASCII)
_NOMBRE = re.compile(r"[\w-]+(?:\.[\w-]+)*|\[[0-9a-f:.]+\]", re.ASCII | re.IGNORECASE)
_HUELLA = re.compile("[0-9a-f]{16}")
_NUMERO = re.compile(r"[0-9]*\.?[0-9]+")
_PUERTO_MAXIMO = 65535
_ESPERA_MAXIMA = 60.0
_ESPERA_DE_CLIC_MAXIMA = 2.0
_COLA_MAXIMA = 100_000
_DIAS_MAXIMOS = 36_500
_CONEXION_MAXIMA = 3600
_LONGITUD_DE_UN_SECRETO = 16
SIN_EL_GUARDADO = "sin_guardado"
"""En `ALPES_SECRETO_DE_ENLACES`, el último: no es un secreto; es que el de la base de datos no compruebe."""
_PROCESOS_MAXIMOS = 64
_REDES_MAXIMAS = 256
_LETRAS_DE_UN_SECRETO = 32
_LIMITE_MAXIMO = 1_000_000
_PREFIJO = "ALPES_"
_DE_LAS_PRUEBAS = {"ALPES_EXIGIR_TODO"}
"""Las que entienden las pruebas del producto: quien las pone no se ha equivocado."""


def _ajuste(nombre: str, leer: Callable[[str], T], omision: T, debe: str, *, secreto: bool = False) -> T:
    """Un campo de `Configuracion`: su variable, cómo se lee, lo que vale si falta y la frase si no vale."""
    return field(default_factory=lambda: _variable(nombre, leer, omision, debe), repr=not secreto)


def _variable(nombre: str, leer: Callable[[str], T], omision: T, debe: str) -> T:
    """Lee una variable; vacía vale ausente. El error la nombra y nunca repite su valor."""
    texto = os.environ.get(nombre, "").strip()
    if not texto:
        return omision
    try:
        return leer(texto)
    except ValueError:
        raise ErrorDeArranque(f"{nombre} no vale: debe ser {debe}.") from None


def _entero(minimo: int, maximo: int) -> Callable[[str], int]:
    def leer(texto: str) -> int:
        # `int` admite además signos, guiones bajos y dígitos de otras escrituras.
        if not (texto.isascii() and texto.isdigit()) or not minimo <= int(texto) <= maximo:
            raise ValueError
        return int(texto)

    return leer


def leer_puerto(texto: str) -> int:
    """Lee un número de puerto; lo que no lo es lanza ValueError."""
    return _entero(0, _PUERTO_MAXIMO)(texto)


def leer_procesos(texto: str) -> int:
    """Lee un número de procesos; lo que no lo es lanza ValueError."""
    return _entero(1, _PROCESOS_MAXIMOS)(texto)


def leer_direccion(texto: str) -> str:
    """Lee dónde está un servicio HTTP, `http://anfitrión:puerto`; lo que no lo es lanza ValueError."""
    return _url_http(texto.rstrip("/"))


def _segundos(maximo: float) -> Callable[[str], float]:
    def leer(texto: str) -> float:
        segundos = float(texto)
        if not _NUMERO.fullmatch(texto) or not 0 < segundos <= maximo:
            raise ValueError
        return segundos

    return leer


def _nivel(texto: str) -> str:
    if texto.upper() not in _NIVELES:
        raise ValueError
    return texto.upper()


def _url_http(texto: str) -> str:
    partes = urlsplit(texto)
    # `.port` lanza ValueError si no es un puerto.
    if partes.scheme not in {"http", "https"} or not partes.hostname or "@" in texto or partes.port == 0:
        raise ValueError
    if partes.path not in {"", "/"} or partes.query or partes.fragment:
        raise ValueError
    return texto


def _lugar(texto: str) -> tuple[str, int]:
    partes = urlsplit(f"//{texto}")
    if not partes.hostname or partes.port is None or texto != partes.netloc or "@" in texto:
        raise ValueError
    return partes.hostname, partes.port


def _url_de_postgresql(texto: str) -> str:
    """Sin servidor, como en libpq, es el de esta máquina, o el que diga `?host=`.

    Un signo de la contraseña sin escribir como %XX la partiría, y lo que `lugar` dice sería un trozo de ella.
    """
    partes = urlsplit(texto)
    if partes.scheme != "postgresql" or not texto.startswith("postgresql://"):
        raise ValueError
    if "@" in partes.path or partes.fragment or "=" not in (partes.query.partition("@")[0] or "="):
        raise ValueError
    for nodo in _nodos(partes.netloc).split(","):
        # `.port` lanza ValueError si no es un puerto.
        if urlsplit(f"//{nodo}").port == 0:
            raise ValueError
    return texto


def _nodos(netloc: str) -> str:
    return netloc.rpartition("@")[2]


def _url_de_pulsar(texto: str) -> str:
    """Una o varias direcciones, sin credenciales: el cliente no las usa y las imprimiría."""
    esquema, _, nodos = texto.partition("://")
    if esquema not in {"pulsar", "pulsar+ssl"} or re.search(r"[@\s]", nodos):
        raise ValueError
    for nodo in nodos.removesuffix("/").split(","):
        partes = urlsplit(f"//{nodo}")
        # `.port` lanza ValueError si no es un puerto.
        if not partes.hostname or partes.path or partes.query or partes.port == 0:
            raise ValueError
    return texto


def _espacio(texto: str) -> str:
    if not _ESPACIO.fullmatch(texto):
        raise ValueError
    return texto


def _lista(texto: str) -> tuple[str, ...]:
    partes = tuple(parte for parte in (parte.strip() for parte in texto.split(",")) if parte)
    if not partes:
        raise ValueError
    return partes


def _claves(texto: str) -> tuple[str, ...]:
    """Con otros caracteres, una clave no cabría en la cabecera en que se pide."""
    claves = _lista(texto)
    if not all(clave.isprintable() for clave in claves):
        raise ValueError
    return claves


def _secretos(texto: str) -> tuple[str, ...]:
    secretos = _lista(texto)
    propios = secretos[:-1] if secretos[-1:] == (SIN_EL_GUARDADO,) else secretos
    if (secretos and not propios) or not all(len(secreto) >= _LONGITUD_DE_UN_SECRETO for secreto in propios):
        raise ValueError
    return secretos


def _huellas(texto: str) -> tuple[str, ...]:
    huellas = tuple(huella.lower() for huella in _lista(texto))
    if not all(_HUELLA.fullmatch(huella) for huella in huellas):
        raise ValueError
    return huellas


def _nombres(texto: str) -> tuple[str, ...]:
    """Con puerto, esquema o comodín, un nombre no coincidiría con ninguna cabecera `Host`."""
    nombres = _lista(texto)
    if not all(_NOMBRE.fullmatch(nombre) for nombre in nombres):
        raise ValueError
    return nombres


def _redes(texto: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Una de todas las direcciones daría por buena la que cada uno dijera de sí mismo."""
    redes = tuple(ipaddress.ip_network(red) for red in _lista(texto))
    if len(redes) > _REDES_MAXIMAS or not all(red.prefixlen for red in redes):
        raise ValueError
    return redes


def _una_de(*palabras: str) -> Callable[[str], str]:
    def leer(texto: str) -> str:
        if texto not in palabras:
            raise ValueError
        return texto

    return leer


def _secreto(texto: str) -> str:
    if len(texto) < _LETRAS_DE_UN_SECRETO:
        raise ValueError
    return texto


def _si(texto: str) -> bool:
    if texto not in {"0", "1"}:
        raise ValueError
    return texto == "1"


def _ruta(texto: str) -> Path:
    return Path(texto).expanduser().absolute()


def _fichero(texto: str) -> Path:
    ruta = _ruta(texto)
    if not ruta.is_file():
        raise ValueError
    return ruta


def _datos() -> Path:
    return _variable(
        "ALPES_DATOS", _ruta, Path(platformdirs.user_data_dir("alpespartners")).absolute(), "una carpeta"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuracion:
    """Los ajustes de un proceso, leídos del entorno al construirla.

    Raises:
        ErrorDeArranque: una variable tiene un valor que no vale.
    """

    datos: Path = field(default_factory=_datos)
    """Carpeta absoluta del broker embebido y de SQLite."""

    pulsar_url: str | None = _ajuste(
        "ALPES_PULSAR_URL",
        _url_de_pulsar,
        None,
        "pulsar://anfitrión:puerto o pulsar+ssl://anfitrión:puerto, sin usuario ni contraseña",
    )
    """Broker Apache Pulsar; `None` es el broker embebido."""

    pulsar_token: str | None = _ajuste("ALPES_PULSAR_TOKEN", str, None, "un token", secreto=True)
    pulsar_ca: Path | None = _ajuste("ALPES_PULSAR_CA", _fichero, None, "un fichero que exista")
    pulsar_espacio: str = _ajuste(
        "ALPES_PULSAR_ESPACIO", _espacio, "public/default", "un inquilino y un espacio: public/default"
    )
    """Inquilino y espacio de nombres de los tópicos."""

    pulsar_admin: str | None = _ajuste(
        "ALPES_PULSAR_ADMIN",
        _url_http,
        None,
        "http://anfitrión:puerto o https://anfitrión:puerto, sin usuario ni contraseña",
    )
    """La administración de Apache Pulsar, si se ha de revisar su retención; `None` es que no."""

    pulsar_epoca: UUID | None = _ajuste("ALPES_PULSAR_EPOCA", UUID, None, "un UUID")
    """Época de Apache Pulsar: cambia cuando sus datos empiezan de cero."""

    base_datos: str | None = _ajuste(
        "ALPES_BASE_DATOS",
        _url_de_postgresql,
        None,
        "una URL postgresql://, con los signos de la contraseña escritos como %XX",
        secreto=True,
    )
    """Base de datos; `None` es SQLite dentro de `datos`."""

    anfitrion: str = _ajuste("ALPES_ANFITRION", str, "127.0.0.1", "una dirección")
    puerto: int = _ajuste("ALPES_PUERTO", leer_puerto, 8000, f"un número entre 0 y {_PUERTO_MAXIMO}")
    procesos: int = _ajuste(
        "ALPES_PROCESOS", leer_procesos, 1, f"un número de procesos, de 1 a {_PROCESOS_MAXIMOS}"
    )
    """Procesos de la API que `iniciar` y `api` arrancan en el puerto."""

    claves_api: tuple[str, ...] = _ajuste(
        "ALPES_CLAVES_API", _claves, (), "claves separadas por comas", secreto=True
    )
    sin_clave: bool = _ajuste("ALPES_SIN_CLAVE", _si, omision=False, debe="0 o 1")
    nombres: tuple[str, ...] = _ajuste(
        "ALPES_NOMBRES",
        _nombres,
        (),
        "nombres separados por comas, sin http://, puerto ni comodines (una IPv6, entre corchetes)",
    )
    proxies_de_confianza: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = _ajuste(
        "ALPES_PROXIES_DE_CONFIANZA",
        _redes,
        (),
        f"hasta {_REDES_MAXIMAS} redes separadas por comas, como 10.0.0.0/8 o fd00::1, y ninguna la de todas",
    )
    """De qué intermediarios se cree de quién viene una petición."""

    direcciones: str = _ajuste(
        "ALPES_DIRECCIONES",
        _una_de("entera", "recortada", "resumida"),
        "entera",
        "entera, recortada o resumida",
    )
    """Qué se guarda de la dirección de quien llega con un navegador."""

    secreto_de_direcciones: str | None = _ajuste(
        "ALPES_SECRETO_DE_DIRECCIONES",
        _secreto,
        None,
        f"un texto al azar de {_LETRAS_DE_UN_SECRETO} caracteres o más",
        secreto=True,
    )
    """Con qué se resumen; hace falta si se resumen."""

    limite_por_direccion: int = _ajuste(
        "ALPES_LIMITE_POR_DIRECCION",
        _entero(0, _LIMITE_MAXIMO),
        50,
        f"un número de peticiones por segundo, de 1 a {_LIMITE_MAXIMO}, o 0, que es sin límite",
    )
    """Peticiones por segundo de una dirección a lo que se pide sin clave; 0, las que quiera."""

    limite_confirmacion: float = _ajuste(
        "ALPES_LIMITE_CONFIRMACION",
        _segundos(_ESPERA_MAXIMA),
        5.0,
        f"segundos, más de 0 y hasta {_ESPERA_MAXIMA:.0f}",
    )
    """Segundos que se espera la confirmación del broker antes de responder 503."""

    espera_de_clic: float = _ajuste(
        "ALPES_ESPERA_DE_CLIC",
        _segundos(_ESPERA_DE_CLIC_MAXIMA),
        0.15,
        f"segundos, más de 0 y hasta {_ESPERA_DE_CLIC_MAXIMA:g}",
    )
    """Segundos que quien hace clic, o pide un píxel, espera a que el broker lo confirme."""

    cola_de_clics: int = _ajuste(
        "ALPES_COLA_DE_CLICS",
        _entero(1, _COLA_MAXIMA),
        256,
        f"un número entero de MiB, de 1 a {_COLA_MAXIMA}",
    )
    """MiB que ocupan, como mucho, en `datos` los clics y píxeles sin confirmar de todos los procesos."""

    espera_conexion: int = _ajuste(
        "ALPES_ESPERA_CONEXION",
        _entero(1, _CONEXION_MAXIMA),
        75,
        f"un número entero de segundos, de 1 a {_CONEXION_MAXIMA}",
    )
    """Segundos que sigue abierta una conexión ociosa: más que los del balanceador que haya delante."""

    metricas_consumidor: tuple[str, int] | None = _ajuste(
        "ALPES_METRICAS_CONSUMIDOR", _lugar, None, "anfitrión:puerto, como 127.0.0.1:9101"
    )
    """Dónde sirve un proceso de consumidores `/salud/*` y `/metricas`; `None` es en ningún sitio."""

    esquemas_ajenos: tuple[str, ...] = _ajuste(
        "ALPES_ESQUEMAS_AJENOS", _huellas, (), "huellas de 16 cifras hexadecimales, entre comas"
    )
    """Huellas de esquemas que no son de nadie: un comando que las nombra es ilegible, en vez de esperar."""

    dias_rechazados: int = _ajuste(
        "ALPES_DIAS_RECHAZADOS", _entero(1, _DIAS_MAXIMOS), 90, f"un número de días, de 1 a {_DIAS_MAXIMOS}"
    )
    """Días que se guarda lo que se envió en un comando que no se registró; su destino, siempre."""

    secreto_de_enlaces: tuple[str, ...] = _ajuste(
        "ALPES_SECRETO_DE_ENLACES",
        _secretos,
        (),
        f"textos de {_LONGITUD_DE_UN_SECRETO} caracteres o más, separados por comas; el último puede ser "
        f"{SIN_EL_GUARDADO}",
        secreto=True,
    )
    """Con lo que se firman los clics y otros destinos: el primero firma, todos comprueban.

    El guardado en la base de datos comprueba además detrás, salvo que el último sea `SIN_EL_GUARDADO`; si no
    hay otro, firma.
    """

    dias_de_clic: int = _ajuste(
        "ALPES_DIAS_DE_CLIC", _entero(1, _DIAS_MAXIMOS), 30, f"un número de días, de 1 a {_DIAS_MAXIMOS}"
    )
    """Días que puede haber entre un clic y la conversión que dice venir de él."""

    paises: Path | None = _ajuste("ALPES_PAISES", _fichero, None, "un fichero que exista")
    """Archivo MaxMind DB del país de cada dirección; `None` es el del registro que la asignó."""

    registro: str = _ajuste("ALPES_REGISTRO", _nivel, "INFO", f"uno de {', '.join(_NIVELES)}")

    def __post_init__(self) -> None:
        """Comprueba lo que depende de más de un ajuste."""
        if self.direcciones == "resumida" and self.secreto_de_direcciones is None:
            raise ErrorDeArranque("ALPES_DIRECCIONES=resumida necesita ALPES_SECRETO_DE_DIRECCIONES.")

    @property
    def lugar(self) -> str:
        """Dónde está la base de datos, dicho sin usuario ni contraseña: una carpeta, o servidor y nombre."""
        if self.base_datos is None:
            return str(self.datos)
        partes = urlsplit(self.base_datos)
        return f"postgresql://{_nodos(partes.netloc)}{partes.path}"

    def avisos(self) -> list[str]:
        """Una frase por cada variable que parece un ajuste y no lo es: un error de tecleo se nota.

        La nombra y nunca dice lo que vale.
        """
        ajenas = {nombre for nombre in os.environ if nombre.startswith(_PREFIJO)} - AJUSTES - _DE_LAS_PRUEBAS
        return [_aviso(nombre) for nombre in sorted(ajenas)]


AJUSTES = frozenset(f"{_PREFIJO}{ajuste.name.upper()}" for ajuste in fields(Configuracion))
"""Las variables que se leen."""


def _aviso(nombre: str) -> str:
    # Sin el prefijo, que todas comparten y hace parecidas a las que no lo son.
    ajustes = sorted(ajuste.removeprefix(_PREFIJO) for ajuste in AJUSTES)
    parecidas = get_close_matches(nombre.removeprefix(_PREFIJO), ajustes, 1)
    pregunta = "".join(f" ¿Quiso decir {_PREFIJO}{parecida}?" for parecida in parecidas)
    return f"{nombre if nombre.isprintable() else ascii(nombre)} no es un ajuste y no hace nada.{pregunta}"
