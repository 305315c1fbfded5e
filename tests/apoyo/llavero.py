"""Un llavero de prueba: las claves que se le den, por su texto."""

from collections.abc import Mapping
from dataclasses import dataclass

from alpespartners.api.http.claves import Alcance, Clave, Dialecto
from alpespartners.modulos.tracking.aplicacion.permisos import SIN_LIMITES, Permiso


@dataclass(frozen=True)
class LlaveroEnMemoria:
    """Cumple `Llavero`; desde esta máquina no pide ninguna."""

    claves: Mapping[str, Clave]
    se_conoce: bool = True
    piden: bool = False
    al_dia: bool = True

    async def ponerse_al_dia(self) -> None:
        """Lo está siempre."""

    def hay_de(self, dialecto: Dialecto | None) -> bool:
        return any(clave.dialecto is dialecto for clave in self.claves.values())

    def abrir(self, presentada: str) -> Clave | None:
        return self.claves.get(presentada)

    @property
    def hay_publicas(self) -> bool:
        return any(clave.origenes for clave in self.claves.values())

    def abrir_publica(self, presentada: str) -> Clave | None:
        return self.claves.get(presentada)

    def admite_origen(self, origen: str) -> bool:
        return any(origen in clave.origenes for clave in self.claves.values())

    def sesion_de(self, clave: Clave) -> str:
        return next(texto for texto, suya in self.claves.items() if suya is clave)

    def abrir_sesion(self, sesion: str) -> Clave | None:
        return self.claves.get(sesion)

    def vale(self, clave: Clave) -> bool:
        return clave in self.claves.values()


def clave_de(dialecto: Dialecto | None, permiso: Permiso = SIN_LIMITES) -> Clave:
    """Una clave para enviar en ese dialecto."""
    return Clave(alcances=frozenset({Alcance.CAPTURA}), dialecto=dialecto, permiso=permiso)
