"""Las fuentes del panel: de dónde sale todo lo que enseña.

Qué es: los puertos de consulta de los módulos, y la puerta por la que envía quien prueba.
Qué no es: consultas; cada vista hace la suya.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from alpespartners.api.operacion.salud import Salud
from alpespartners.modulos.enlaces.aplicacion.puertos import Enlaces
from alpespartners.modulos.informes.aplicacion.puertos import (
    LecturaDeCampañas,
    LecturaDeCuentas,
    LecturaDeResumenes,
)
from alpespartners.modulos.tracking.aplicacion.permisos import Permiso
from alpespartners.modulos.tracking.aplicacion.puertos import (
    Administracion,
    ColaDeClics,
    Lecturas,
    Presencia,
)
from alpespartners.modulos.tracking.aplicacion.recepcion import Recepcion
from alpespartners.panel.instalacion import Instalacion


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuentes:
    """Lo que las vistas preguntan.

    Attributes:
        prefijos: lo que las claves anteponen a los `id`.
        averiguar: cómo está el servicio ahora.
        administracion: a quién se pregunta cómo está puesto el broker; `None` si a nadie.
        aceptado_hasta: por tópico, cuándo se recibió lo más nuevo que ya debería tener destino.
        instalacion: qué lleva dentro y qué está en otra parte.
        clics: los que esperan a publicarse.
        recepcion: por donde entra un evento de prueba, como cualquier otro.
        reloj: la hora, en UTC con zona.
        nuevo_id: un UUIDv7 en texto.
    """

    lecturas: Lecturas
    presencia: Presencia
    cuentas: LecturaDeCampañas
    cuentas_de_influencers: LecturaDeCuentas
    resumenes: LecturaDeResumenes
    enlaces: Enlaces
    prefijos: Callable[[], Collection[str]]
    averiguar: Callable[[], Awaitable[Salud]]
    administracion: Administracion | None
    aceptado_hasta: Callable[[], Mapping[str, datetime]]
    instalacion: Instalacion
    clics: ColaDeClics
    recepcion: Recepcion
    reloj: Callable[[], datetime]
    nuevo_id: Callable[[], str]

    def prefijos_que_ve(self, permiso: Permiso) -> Collection[str]:
        """Los de todas las claves; a quien solo ve sus campañas no se le dice con cuáles envían otros."""
        return self.prefijos() if permiso.campañas is None else {permiso.prefijo} - {""}
