"""Quién puede hablar con la API: claves, o solo esta máquina.

Qué es: la comprobación que va antes de atender, con sus negativas (401, 403, 421 y 429) y, en cada una, qué
hacer. Con claves, cada ruta dice para qué ha de haberse hecho la que se presenta, o aquella con que empezó la
sesión de quien mira el panel.
Qué no es: un sistema de usuarios; una clave es de un programa. Lo que deja hacer con cada evento lo comprueba
quien lo atiende (`permiso_de`).
Por qué existe: el servicio arranca sin configurar nada. Mientras no haya claves, ni otra máquina ni una
página web abierta en esta (que puede hacer que su nombre apunte a 127.0.0.1) deben poder usarlo.
"""

import ipaddress
import re
import time
from collections.abc import Collection, Mapping
from typing import Final

from starlette.requests import Request

from alpespartners.api.http.cabeceras import Cabeceras, cabeceras_de
from alpespartners.api.http.claves import (
    Alcance,
    Clave,
    Dialecto,
    Llavero,
    clave_de,
    exigir_campaña,
    poner_clave,
    poner_llavero,
)
from alpespartners.api.http.descripcion import Contestacion
from alpespartners.api.http.llavero import claves_desconocidas
from alpespartners.api.http.problemas import (
    REINTENTO,
    ErrorHTTP,
    contestacion_de_error,
    no_encontrado,
    sin_permiso,
)
from alpespartners.api.http.rutas import Direccion, Ruta
from alpespartners.api.http.sesion import GALLETA_DE_SESION
from alpespartners.seedwork.cubo import SEGUNDOS_DE_RAFAGA
from alpespartners.seedwork.orden import ORDEN

OCTETOS_POR_EVENTO: Final = 4 * 1024
"""Los que puede medir lo que se cobra como un evento."""

_LOCALES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_DIRECCIONES_CORRIENTES: Final = frozenset({"127.0.0.1", "::1"})
_ANFITRION: Final = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+?)\.?(?::[0-9]{0,5})?", re.IGNORECASE)
_HUELLA_DE_INTERMEDIARIO: Final = re.compile(rb"x-forwarded-|(?:forwarded|via|x-real-ip)\Z")


class ReglasDeAcceso:
    """Las reglas de acceso de un servicio.

    Sin claves en el llavero: solo esta máquina, y solo con un `Host` local o uno de `nombres`.
    `sin_clave` admite otras máquinas sin clave, pero no otros nombres.

    Attributes:
        llavero: las claves.
    """

    def __init__(self, *, llavero: Llavero, sin_clave: bool, nombres: Collection[str]) -> None:
        self.llavero = llavero
        self._sin_clave = sin_clave
        self._nombres = _LOCALES | {nombre.lower() for nombre in nombres}

    @property
    def al_dia(self) -> bool:
        """Dice si se puede comprobar una petición sin esperar a `ponerse_al_dia`."""
        return self.llavero.al_dia

    async def ponerse_al_dia(self) -> None:
        """Espera a que se lean las claves, o a saber que no se puede."""
        await self.llavero.ponerse_al_dia()

    def comprobar(self, peticion: Request, direccion: Direccion | None) -> None:
        """No hace nada si la petición a esa dirección puede pasar, exista o no.

        Raises:
            ErrorHTTP: 401, 403, 421, 429 o 503 (no se sabe aún qué claves hay), según la regla que incumple;
                404, si es de un dialecto del que no hay claves.
            DatosInvalidos: la clave es de otras campañas.
        """
        ruta = None if direccion is None else direccion.rutas.get(peticion.scope["method"])
        # Se deja siempre: quien empezó a leer sin ninguna deja de leer cuando se piden.
        poner_llavero(peticion, self.llavero)
        dialecto = None if direccion is None else direccion.dialecto
        if dialecto is not None and not self.llavero.hay_de(dialecto):
            # Con cualquier método: mientras no haya una suya, la dirección no existe.
            raise no_encontrado()
        if ruta is not None and ruta.dialecto is not None:
            return
        if not self.llavero.piden:
            self._exigir_que_sea_de_aqui(peticion, ruta)
        elif ruta is not None and ruta.alcance is not None:
            self._exigir_clave(peticion, ruta, ruta.alcance)
        elif ruta is None and not _es_abierta(direccion) and self._abierta(peticion, None) is None:
            # No existe, y no se le dice: quien no tiene clave no sabe qué direcciones hay.
            raise clave_requerida()

    def _exigir_clave(self, peticion: Request, ruta: Ruta, alcance: Alcance) -> None:
        if ruta.sin_clave and not self.llavero.se_conoce:
            return
        if ruta.sin_clave:
            # La sesión de quien mira el panel no le quita lo que puede ver cualquiera.
            clave = self._presentada(cabeceras_de(peticion))
            if clave is not None:
                _exigir_alcance(clave, alcance, None)
            return
        admitir(peticion, self._abierta(peticion, ruta), alcance)
        if ruta.tambien is not None:
            _exigir_alcance(clave_de(peticion), ruta.tambien, None)
        if alcance is Alcance.LECTURA and not ruta.juzga_campañas:
            variables = peticion.scope["path_params"]
            exigir_campaña(peticion, variables.get("campaña_id") or variables.get("campana_id"))

    def _abierta(self, peticion: Request, ruta: Ruta | None) -> Clave | None:
        """La clave que presenta la petición, o la de su sesión donde vale, si vale."""
        cabeceras = cabeceras_de(peticion)
        if b"authorization" in cabeceras or not (ruta is None or ruta.admite_sesion):
            return self._presentada(cabeceras)
        sesion = peticion.cookies.get(GALLETA_DE_SESION)
        return None if sesion is None else self.llavero.abrir_sesion(sesion)

    def _presentada(self, cabeceras: Cabeceras) -> Clave | None:
        presentada = clave_presentada(cabeceras)
        return None if presentada is None else self.llavero.abrir(presentada)

    def _exigir_que_sea_de_aqui(self, peticion: Request, ruta: Ruta | None) -> None:
        cabeceras = cabeceras_de(peticion)
        se_conocen = self.llavero.se_conoce
        if not se_conocen:
            # Con una de las que no se han podido leer no se entra: no se sabe qué deja hacer.
            self._abierta(peticion, ruta)
        # Sin saber si hay claves no se abre a nadie de fuera: puede que las haya.
        a_todos = self._sin_clave and se_conocen
        if not a_todos and not (_viene_de_esta_maquina(peticion) and _viene_directa(cabeceras)):
            raise _acceso_solo_local() if se_conocen else claves_desconocidas()
        if not self._anfitrion_conocido(cabeceras):
            raise _anfitrion_desconocido()

    def _anfitrion_conocido(self, cabeceras: Cabeceras) -> bool:
        valores = cabeceras.get(b"host", ())
        hallado = _ANFITRION.fullmatch(valores[0]) if len(valores) == 1 else None
        if hallado is None:
            return False
        nombre = hallado[1].lower()
        return nombre in self._nombres or _es_direccion_local(nombre.strip("[]"))


def admitir(
    peticion: Request,
    clave: Clave | None,
    alcance: Alcance,
    dialecto: Dialecto | None = None,
) -> None:
    """Admite la petición con esa clave, se la deja puesta y le cobra un evento; si lleva más, `cobrar`.

    Raises:
        ErrorHTTP: 401, no hay clave; 403, no es para eso; 429, gastó su límite.
    """
    if clave is None:
        raise clave_requerida()
    _exigir_alcance(clave, alcance, dialecto)
    if clave.cubo is not None:
        ahora = time.monotonic_ns()
        falta = clave.cubo.falta(ahora)
        if falta:
            raise _demasiados_envios(clave.limite, falta)
        clave.cubo.cobrar(1, ahora)
    poner_clave(peticion, clave)


def cobrar(peticion: Request, eventos: int, octetos: int) -> None:
    """Cobra a la clave de la petición lo que llevaba: al admitirla se le cobró un evento.

    Args:
        peticion: la que los lleva.
        eventos: cuántos.
        octetos: lo que miden, descomprimidos; si son más de `OCTETOS_POR_EVENTO` por cada uno, cuentan ellos.
    """
    cubo = clave_de(peticion).cubo
    if cubo is not None:
        coste = max(eventos, -(-octetos // OCTETOS_POR_EVENTO))
        cubo.cobrar(max(0, coste - 1), time.monotonic_ns())


def _es_abierta(direccion: Direccion | None) -> bool:
    return direccion is not None and direccion.abierta


def _exigir_alcance(clave: Clave, alcance: Alcance, dialecto: Dialecto | None) -> None:
    if clave.dialecto is not dialecto:
        suyo = "el propio" if clave.dialecto is None else clave.dialecto
        raise sin_permiso(f"La clave se hizo para otro protocolo ({suyo}): use una de las de este.")
    if alcance not in clave.alcances:
        raise sin_permiso(
            f"La clave no se hizo para esto: hace falta una con el alcance «{alcance}» "
            f"({ORDEN} claves crear --alcance {alcance}).",
            alcance=alcance,
        )


def clave_presentada(cabeceras: Cabeceras) -> str | None:
    """Lo que va en `Authorization: Bearer …`; `None` si no va una vez, o no es UTF-8."""
    valores = cabeceras.get(b"authorization", ())
    if len(valores) != 1:
        return None
    esquema, _, resto = valores[0].partition(" ")
    if esquema.lower() != "bearer":
        return None
    presentada = resto.strip(" ")
    if presentada.isascii():
        return presentada
    try:
        return presentada.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return None


def clave_requerida() -> ErrorHTTP:
    """No se presenta ninguna clave que valga."""
    return ErrorHTTP(
        401,
        "clave_requerida",
        "Clave requerida",
        "Hace falta una clave en la cabecera «Authorization: Bearer …»: una de ALPES_CLAVES_API o de las de "
        f"«{ORDEN} claves crear», que no haya caducado ni se haya revocado.",
        cabeceras={"WWW-Authenticate": 'Bearer realm="alpespartners"'},
    )


def _demasiados_envios(limite: int | None, falta: int) -> ErrorHTTP:
    return ErrorHTTP(
        429,
        "demasiados_envios",
        "Demasiados envíos",
        f"La clave admite {limite} eventos por segundo, y los de {SEGUNDOS_DE_RAFAGA} segundos seguidos; uno "
        f"de más de {OCTETOS_POR_EVENTO // 1024} KiB cuenta por varios. "
        f"Vuelva a intentarlo en {falta} s con el mismo id: nada de esta petición se ha recibido.",
        cabeceras={"Retry-After": str(falta)},
    )


def _acceso_solo_local() -> ErrorHTTP:
    return ErrorHTTP(
        403,
        "acceso_solo_local",
        "Acceso solo desde esta máquina",
        "Sin claves, el servicio atiende solo a esta máquina y sin intermediarios. "
        f"Para abrirlo, cree una clave («{ORDEN} claves crear») o defina ALPES_CLAVES_API; si la red ya "
        "es de confianza, ALPES_SIN_CLAVE=1.",
    )


def _anfitrion_desconocido() -> ErrorHTTP:
    return ErrorHTTP(
        421,
        "anfitrion_desconocido",
        "Anfitrión desconocido",
        "Sin claves, el servicio atiende solo a nombres locales. "
        "Para usar otro, añádalo a ALPES_NOMBRES, defina ALPES_CLAVES_API o cree una clave.",
    )


NEGATIVAS: Final[Mapping[int, Contestacion]] = {
    401: contestacion_de_error(
        "401",
        "Falta la clave, no es ninguna, o ya no vale.",
        clave_requerida(),
        cabeceras={"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}},
    ),
    403: contestacion_de_error(
        "403",
        "La clave no vale para esto. O, sin claves, solo se atiende a esta máquina y sin intermediarios.",
        sin_permiso("La clave no se hizo para esto: hace falta otra.", alcance=Alcance.LECTURA),
        _acceso_solo_local(),
    ),
    421: contestacion_de_error(
        "421",
        "Sin claves, solo se atiende a nombres locales o de `ALPES_NOMBRES`.",
        _anfitrion_desconocido(),
    ),
    429: contestacion_de_error(
        "429",
        "La clave gastó su límite de eventos por segundo.",
        _demasiados_envios(100, 3),
        cabeceras=REINTENTO,
    ),
}


def _viene_de_esta_maquina(peticion: Request) -> bool:
    # Por un socket Unix no hay dirección: quien llega a él ya está en esta máquina.
    cliente = peticion.scope.get("client")
    return cliente is None or _es_direccion_local(cliente[0])


def _viene_directa(cabeceras: Cabeceras) -> bool:
    return not any(map(_HUELLA_DE_INTERMEDIARIO.match, cabeceras))


def _es_direccion_local(texto: str) -> bool:
    if texto in _DIRECCIONES_CORRIENTES:
        return True
    try:
        direccion = ipaddress.ip_address(texto)
    except ValueError:
        return False
    if isinstance(direccion, ipaddress.IPv6Address) and direccion.ipv4_mapped is not None:
        return direccion.ipv4_mapped.is_loopback
    return direccion.is_loopback
