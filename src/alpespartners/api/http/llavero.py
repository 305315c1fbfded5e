"""El llavero de un servicio: las claves de los ajustes, que lo pueden todo, y las guardadas.

Qué es: de lo presentado a la clave con lo que deja hacer y lo que le queda de su límite.
Qué no es: la lectura de las guardadas (`modulos/claves`).
"""

import hashlib
import hmac
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime

from alpespartners.api.http.claves import Clave, Dialecto
from alpespartners.api.http.problemas import SEGUNDOS_PARA_REINTENTAR, ErrorHTTP
from alpespartners.api.http.sesion import SEGUNDOS_DE_SESION, Sesion, leer_sesion
from alpespartners.modulos.claves.aplicacion.llavero import LlaveroGuardado
from alpespartners.modulos.claves.dominio.clave import PREFIJO_DE_CLAVE, ClaveGuardada
from alpespartners.modulos.claves.dominio.origen import admite
from alpespartners.modulos.tracking.aplicacion.permisos import Permiso
from alpespartners.seedwork.cubo import Cubo

_DE_LOS_AJUSTES = Clave()


class LlaveroDelServicio:
    """Las de un proceso; cumple `Llavero`.

    Args:
        de_los_ajustes: las que valen siempre y para todo.
        guardadas: las demás; `None`, si este proceso no las mira.
        procesos: cuántos atienden el mismo puerto: el límite de una clave se reparte entre ellos.
        reloj: la hora, en UTC, con que se mira si una sesión acabó.
    """

    def __init__(
        self,
        de_los_ajustes: Collection[str] = (),
        guardadas: LlaveroGuardado | None = None,
        procesos: int = 1,
        reloj: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._de_los_ajustes = [clave.encode("utf-8") for clave in de_los_ajustes]
        self._guardadas = guardadas
        self._procesos = procesos
        self._reloj = reloj
        # Quien lee la base de datos no sabe estas: con alguna, tampoco puede escribirse una sesión.
        self._secreto = hashlib.sha256(b"\0".join(sorted(self._de_los_ajustes))).digest()
        self._abiertas: dict[str, tuple[ClaveGuardada, Clave]] = {}

    @property
    def se_conoce(self) -> bool:
        """Dice si se sabe qué claves hay; si no, no se pueden leer desde que empezó el proceso."""
        return self._guardadas is None or self._guardadas.se_conoce

    @property
    def piden(self) -> bool:
        """Dice si el servicio pide clave: hay alguna, o la hubo."""
        return bool(self._de_los_ajustes) or (self._guardadas is not None and self._guardadas.hay)

    @property
    def al_dia(self) -> bool:
        """Dice si se puede comprobar una clave sin esperar a `ponerse_al_dia`."""
        return self._guardadas is None or self._guardadas.al_dia

    async def ponerse_al_dia(self) -> None:
        """Espera a que se lean las guardadas, o a saber que no se puede."""
        if self._guardadas is not None:
            await self._guardadas.ponerse_al_dia()

    def hay_de(self, dialecto: Dialecto | None) -> bool:
        """Dice si alguna se hizo para ese dialecto; mientras no se sepa, que sí."""
        if dialecto is None:
            return self.piden
        return self._guardadas is not None and (
            self._guardadas.hay_de(dialecto) or not self._guardadas.se_conoce
        )

    def abrir(self, presentada: str) -> Clave | None:
        """La clave que es ese texto; `None` si no es ninguna, o ya no vale.

        Raises:
            ErrorHTTP: 503, parece de las guardadas y todavía no se han podido leer.
        """
        octetos = presentada.encode("utf-8", "surrogatepass")
        # Se compara con todas, sin parar en la que acierta: el tiempo no dice cuál fue.
        aciertos = [hmac.compare_digest(octetos, clave) for clave in self._de_los_ajustes]
        if any(aciertos):
            return _DE_LOS_AJUSTES
        if self._guardadas is None:
            return None
        if not self._guardadas.se_conoce and presentada.startswith(PREFIJO_DE_CLAVE):
            # Ni 401, que haría que quien envía lo diera por perdido, ni entrar sin saber qué deja hacer.
            raise claves_desconocidas()
        guardada = self._guardadas.abrir(presentada)
        return None if guardada is None else self._abierta(guardada)

    @property
    def hay_publicas(self) -> bool:
        """Dice si alguna de las que valen ahora es de las que se ven en una página."""
        return self._guardadas is not None and any(True for _ in self._guardadas.publicas())

    def abrir_publica(self, presentada: str) -> Clave | None:
        """La pública que es ese texto; `None` si no es ninguna, o ya no vale.

        Raises:
            ErrorHTTP: 503, todavía no se han podido leer.
        """
        if self._guardadas is None:
            return None
        if not self._guardadas.se_conoce:
            raise claves_desconocidas()
        guardada = self._guardadas.abrir_publica(presentada)
        return None if guardada is None else self._abierta(guardada)

    def admite_origen(self, origen: str) -> bool:
        """Dice si alguna pública vale en las páginas de ese origen."""
        return self._guardadas is not None and any(
            admite(guardada.origenes, origen) for guardada in self._guardadas.publicas()
        )

    def sesion_de(self, clave: Clave) -> str:
        """El texto de una sesión, que empieza ahora, de quien presentó esa clave.

        No lleva la clave, y lo puede comprobar cualquier proceso con las mismas. Acaba con su clave, cuando
        cambian las de los ajustes, o a las doce horas.
        """
        identidad = clave.identidad or ""
        acaba = int(self._reloj().timestamp()) + SEGUNDOS_DE_SESION
        return Sesion.firmada(identidad, acaba, self._secreto_de(self._nombrada(identidad))).texto

    def abrir_sesion(self, sesion: str) -> Clave | None:
        """La clave con que empezó esa sesión; `None` si no es ninguna, o la una o la otra ya no valen.

        Raises:
            ErrorHTTP: 503, empezó con una de las guardadas y todavía no se han podido leer.
        """
        leida = leer_sesion(sesion)
        if leida is None:
            return None
        if leida.identidad and self._guardadas is not None and not self._guardadas.se_conoce:
            raise claves_desconocidas()
        guardada = self._nombrada(leida.identidad)
        if guardada is None and (leida.identidad or not self._de_los_ajustes):
            return None
        if not leida.es_de(self._secreto_de(guardada)) or not self._dura(leida.acaba):
            return None
        clave = _DE_LOS_AJUSTES if guardada is None else self._abierta(guardada)
        return replace(clave, hasta=leida.acaba)

    def vale(self, clave: Clave) -> bool:
        """Dice si esa, que se abrió antes, sigue valiendo."""
        if clave.hasta is not None and not self._dura(clave.hasta):
            return False
        return (
            clave.identidad is None
            or self._guardadas is None
            or self._guardadas.nombrada(clave.identidad) is not None
        )

    def _dura(self, acaba: int) -> bool:
        return self._reloj().timestamp() < acaba

    def _nombrada(self, identidad: str) -> ClaveGuardada | None:
        return None if self._guardadas is None or not identidad else self._guardadas.nombrada(identidad)

    def _secreto_de(self, guardada: ClaveGuardada | None) -> bytes:
        """Con lo que se firman las sesiones de esa clave; `None`, las de los ajustes."""
        return self._secreto if guardada is None else self._secreto + guardada.resumen

    def _abierta(self, guardada: ClaveGuardada) -> Clave:
        """Lo que deja hacer; con el mismo cubo siempre, que se gasta entre todas sus peticiones."""
        suya, abierta = self._abiertas.get(guardada.identidad, (None, _DE_LOS_AJUSTES))
        if suya is guardada:
            return abierta
        limite = guardada.limite
        cubo = abierta.cubo
        if limite != abierta.limite:
            cubo = None if limite is None else Cubo(limite, self._procesos)
        abierta = Clave(
            alcances=guardada.alcances,
            dialecto=guardada.dialecto,
            permiso=Permiso(campañas=guardada.campañas, prefijo=guardada.prefijo),
            identidad=guardada.identidad,
            limite=limite,
            cubo=cubo,
            origenes=guardada.origenes,
        )
        self._abiertas[guardada.identidad] = guardada, abierta
        return abierta


def claves_desconocidas() -> ErrorHTTP:
    """Todavía no se sabe qué claves hay."""
    return ErrorHTTP(
        503,
        "claves_desconocidas",
        "Claves desconocidas",
        "El servicio acaba de empezar y aún no ha podido leer las claves de su base de datos: repítalo.",
        cabeceras={"Retry-After": str(SEGUNDOS_PARA_REINTENTAR)},
    )
