"""Los enlaces en memoria, para probar sin base de datos a quien los pide."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from alpespartners.modulos.enlaces.aplicacion.puertos import Filtro, Lugar
from alpespartners.modulos.enlaces.dominio.enlace import Enlace
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible


@dataclass
class EnlacesEnMemoria:
    """Cumple `Enlaces`."""

    disponible: bool = True
    guardados: dict[str, Enlace] = field(default_factory=dict)

    async def leer(self, enlace_id: str) -> Enlace | None:
        return self._todos().get(enlace_id)

    async def listar(self, filtro: Filtro, despues_de: Lugar | None, limite: int) -> Sequence[Enlace]:
        suyos = [
            enlace
            for enlace in self._todos().values()
            if filtro.campaña_id in (None, enlace.campaña_id)
            and filtro.influencer_id in (None, enlace.influencer_id)
            and (despues_de is None or _lugar(enlace) < despues_de)
        ]
        return sorted(suyos, key=_lugar, reverse=True)[:limite]

    async def agregar(self, enlace: Enlace) -> tuple[Enlace, bool]:
        es_nuevo = enlace.enlace_id not in self._todos()
        return self.guardados.setdefault(enlace.enlace_id, enlace), es_nuevo

    async def cambiar(self, enlace_id: str, cambio: Callable[[Enlace], Enlace]) -> Enlace | None:
        actual = self._todos().get(enlace_id)
        if actual is None:
            return None
        self.guardados[enlace_id] = cambio(actual)
        return self.guardados[enlace_id]

    def _todos(self) -> dict[str, Enlace]:
        if not self.disponible:
            raise BaseDatosNoDisponible
        return self.guardados


def _lugar(enlace: Enlace) -> Lugar:
    return Lugar(enlace.creado_en, enlace.enlace_id)
