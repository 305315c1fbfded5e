"""El recuento de los usuarios: de un trecho, los bocetos guardados y los que dan las filas.

Qué es: la parte de `recuento.py` que no se suma. Quien falta se añade en el fragmento de las correcciones, y
no estorba a quien cuenta. Quien sobra no se puede quitar de un boceto: el de ese día se borra, con todos sus
fragmentos, y se pone el que dan las filas.
Qué no es: un cierre, tampoco al borrar. Quien cuenta cambia en cada lote la fila de su fragmento: si lo hizo
después de la instantánea de quien corrige, borrarla choca y todo se vuelve a mirar; y si espera a que acabe,
o su fila no se veía, la suya es otra, que se une. En un día en que se escribe sin parar puede no conseguirlo:
la orden lo dice, y se repite.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, FromClause, delete, select

from alpespartners.modulos.informes.dominio.diferencia import DiferenciaDeUsuarios
from alpespartners.modulos.informes.dominio.intervalos import UN_DIA
from alpespartners.modulos.informes.dominio.unicos import BocetoIlegible, con, resumen, unidos
from alpespartners.modulos.informes.dominio.usuarios import Usuarios
from alpespartners.modulos.informes.infraestructura.tablas import usuarios_por_dia
from alpespartners.modulos.informes.infraestructura.trechos import Trecho
from alpespartners.seedwork.sql.agregados import comienzo_del_tramo
from alpespartners.seedwork.sql.fusion import fundir
from alpespartners.seedwork.sql.sentencias import motor_de

_FILAS_A_LA_VEZ: Final = 10_000


class UsuariosDistintos(NamedTuple):
    """Un día de una campaña cuyos usuarios no son los de las filas; sin lo contado, si no se entiende."""

    campana_id: str
    dia: datetime
    contados: Usuarios | None
    hay: Usuarios

    @property
    def diferencia(self) -> DiferenciaDeUsuarios:
        """Lo que se dice de él."""
        return DiferenciaDeUsuarios(
            tabla=str(usuarios_por_dia.name),
            campana_id=self.campana_id,
            desde=self.dia,
            contados=self.contados,
            hay=self.hay,
        )


def comparar_usuarios(
    conexion: Connection, hechos: Sequence[FromClause], trecho: Trecho
) -> Iterator[UsuariosDistintos]:
    """Los días que difieren, por orden."""
    hay, guardados = _en_las_filas(conexion, hechos, trecho), _guardados(conexion, trecho)
    nadie = Usuarios()
    for dia in sorted(hay.keys() | guardados.keys()):
        contados = _juntos(guardados.get(dia, ()))
        if contados != hay.get(dia, nadie):
            yield UsuariosDistintos(trecho.campana_id, dia, contados, hay.get(dia, nadie))


def corregir_usuarios(conexion: Connection, distintos: UsuariosDistintos, fragmento: int) -> None:
    """Deja ese día como lo dan las filas; lo que añade, en ese fragmento."""
    contados, hay = distintos.contados, distintos.hay
    if contados is None or unidos([contados.boceto, hay.boceto]) != hay.boceto:
        tabla = usuarios_por_dia.c
        conexion.execute(
            delete(usuarios_por_dia).where(
                tabla.campana_id == distintos.campana_id, tabla.dia == distintos.dia
            )
        )
        contados = Usuarios()
    if contados != hay:
        fundir(
            conexion,
            usuarios_por_dia,
            {(distintos.campana_id, distintos.dia, fragmento): hay.eventos - contados.eventos},
            lambda _clave, boceto: unidos([boceto, hay.boceto]),
        )


def _juntos(guardados: Sequence[Usuarios]) -> Usuarios | None:
    try:
        return Usuarios.juntos(guardados)
    except BocetoIlegible:
        return None


def _guardados(conexion: Connection, trecho: Trecho) -> Mapping[datetime, Sequence[Usuarios]]:
    """Los de cada día, uno por fragmento."""
    tabla = usuarios_por_dia.c
    guardados: defaultdict[datetime, list[Usuarios]] = defaultdict(list)
    consulta = select(tabla.dia, tabla.eventos, tabla.boceto).where(
        *trecho.dentro(usuarios_por_dia, tabla.dia)
    )
    for dia, eventos, boceto in conexion.execute(consulta):
        guardados[dia].append(Usuarios(eventos, boceto))
    return guardados


def _en_las_filas(
    conexion: Connection, hechos: Sequence[FromClause], trecho: Trecho
) -> Mapping[datetime, Usuarios]:
    usuarios: defaultdict[datetime, Usuarios] = defaultdict(Usuarios)
    for suyos in hechos:
        dia = comienzo_del_tramo(motor_de(conexion), suyos.c.ocurrido_en, UN_DIA)
        consulta = select(dia, suyos.c.usuario_id).where(
            *trecho.dentro(suyos, suyos.c.ocurrido_en), suyos.c.usuario_id.is_not(None)
        )
        # Por tandas: una semana de una campaña puede tener más filas de las que caben en la memoria.
        opciones: dict[str, Any] = {"yield_per": _FILAS_A_LA_VEZ}
        for tanda in conexion.execute(consulta, execution_options=opciones).partitions():
            _añadir(usuarios, tanda)
    return usuarios


def _añadir(usuarios: defaultdict[datetime, Usuarios], filas: Sequence[Any]) -> None:
    por_dia: defaultdict[datetime, list[str]] = defaultdict(list)
    for dia, usuario_id in filas:
        por_dia[dia].append(usuario_id)
    for dia, suyos in por_dia.items():
        antes = usuarios[dia]
        boceto = con(antes.boceto, [resumen(usuario_id) for usuario_id in {*suyos}])
        usuarios[dia] = Usuarios(antes.eventos + len(suyos), boceto)
