"""El informe de una campaña o de un influencer: sus filas, una por intervalo y grupo, y el total de todas.

Qué es: de lo contado a lo que se responde.
Qué no es: cómo se cuenta ni cómo se escribe.
Por qué existe: todo sale de una sola lectura, y así el total es la suma de las filas también mientras llegan
eventos. Un grupo está en todos los intervalos, con ceros en los que no tuvo nada.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from alpespartners.modulos.informes.aplicacion.faltas import CodigoDeInforme, Falta, InformeImposible
from alpespartners.modulos.informes.aplicacion.pedido import (
    DE_CAMPAÑA,
    Incluible,
    PedidoDeInforme,
    en_miles,
)
from alpespartners.modulos.informes.aplicacion.puertos import (
    Contada,
    DemasiadasCuentas,
    DemasiadosSueltos,
    LecturaDeCampañas,
    LecturaDeCuentas,
)
from alpespartners.modulos.informes.dominio.cambios import Cambio
from alpespartners.modulos.informes.dominio.cuenta import Cuenta
from alpespartners.modulos.informes.dominio.intervalos import Granularidad, Intervalo
from alpespartners.modulos.informes.dominio.metricas import Clave, Metricas, metricas
from alpespartners.modulos.informes.dominio.usuarios import Usuarios

FILAS_MAXIMAS: Final = 10_000
_CUENTAS_POR_FILA: Final = 10
"""Las que caben de media: una por tipo, clase y moneda; si se compara, otras tantas."""

Grupo = tuple[str, ...]
"""El valor de cada dimensión pedida, en su orden; vacío, el de los eventos que no la tienen."""


@dataclass(frozen=True, slots=True)
class Comparado:
    """Lo mismo, en el periodo con que se compara; los usuarios, si se pidieron."""

    intervalo: Intervalo
    metricas: Metricas
    cambio: Cambio
    usuarios: Usuarios | None = None


@dataclass(frozen=True, slots=True)
class Fila:
    """Lo de un grupo en un intervalo; los usuarios, si se pidieron."""

    intervalo: Intervalo
    grupo: Grupo
    metricas: Metricas
    comparado: Comparado | None
    usuarios: Usuarios | None = None


@dataclass(frozen=True, slots=True)
class Informe:
    """Las filas, por intervalo y dentro de él por grupo, y el total."""

    filas: Sequence[Fila]
    total: Fila


async def hacer_informe(
    lectura: LecturaDeCuentas, pedido: PedidoDeInforme, con_usuarios: LecturaDeCampañas | None = None
) -> Informe:
    """Cuenta lo que se pide. De quien no tiene eventos, ceros.

    Args:
        lectura: la de su sujeto.
        pedido: lo que se pide.
        con_usuarios: la que cuenta además los usuarios, si se piden; un influencer no la tiene.

    Raises:
        InformeImposible: no cabe en una respuesta.
        UsuariosIlegibles: se piden, y los de un día no se entienden.
    """
    intervalos = [*pedido.intervalos, *pedido.comparados]
    maximo = FILAS_MAXIMAS * _CUENTAS_POR_FILA * (2 if pedido.comparados else 1)
    usuarios: Sequence[Usuarios] = ()
    with lo_que_cabe(pedido, maximo):
        if con_usuarios is not None and Incluible.USUARIOS_UNICOS in pedido.incluir:
            contadas, usuarios = await con_usuarios.contar_con_usuarios(pedido.sujeto_id, intervalos, maximo)
        else:
            contadas = await lectura.contar(pedido.sujeto_id, intervalos, pedido.por, maximo)
    # Diez mil filas, con su comparación, son un par de segundos; el bucle atiende a los demás.
    return await asyncio.to_thread(_armar, contadas, usuarios, pedido)


@contextmanager
def lo_que_cabe(pedido: PedidoDeInforme, maximo: int) -> Iterator[None]:
    """Lo que se lee dentro y no cabe, dicho a quien lo pidió.

    Raises:
        InformeImposible: son más de `maximo` cuentas, o demasiados eventos que mirar.
    """
    try:
        yield
    except DemasiadasCuentas:
        son = f"más de {en_miles(maximo)} cuentas, una por intervalo, grupo, tipo, clase y moneda"
        raise _no_cabe("por", pedido, son, maximo) from None
    except DemasiadosSueltos as sueltos:
        son = (
            f"más de {en_miles(sueltos.caben)} eventos que mirar uno a uno, porque así solo están contados"
            " los días enteros de UTC"
        )
        culpable = "por" if pedido.sujeto is DE_CAMPAÑA else "desde"
        raise _no_cabe(culpable, pedido, son, sueltos.caben, "zona=UTC con días enteros") from None


def _armar(contadas: Collection[Contada], usuarios: Sequence[Usuarios], pedido: PedidoDeInforme) -> Informe:
    tabla = _Tabla(contadas, usuarios, pedido)
    filas = len(pedido.intervalos) * len(tabla.grupos)
    if filas > FILAS_MAXIMAS:
        son = (
            f"{en_miles(filas)} filas, {en_miles(len(pedido.intervalos))} intervalos por"
            f" {en_miles(len(tabla.grupos))} grupos"
        )
        raise _no_cabe("por", pedido, son, FILAS_MAXIMAS)
    return Informe(
        [
            tabla.fila(pedido, lugar, lugar + 1, [grupo], grupo)
            for lugar in range(len(pedido.intervalos))
            for grupo in tabla.grupos
        ],
        tabla.fila(pedido, 0, len(pedido.intervalos), tabla.grupos, ()),
    )


def _no_cabe(
    culpable: str, pedido: PedidoDeInforme, son: str, caben: int, otra: str = "menos dimensiones"
) -> InformeImposible:
    pida = [otra, "un periodo menor"]
    if pedido.granularidad is not Granularidad.TOTAL:
        pida.insert(0, "granularidad=total")
    frase = f"son {son}, y caben {en_miles(caben)}; pida {', '.join(pida[:-1])} o {pida[-1]}"
    return InformeImposible([Falta(culpable, CodigoDeInforme.PARAMETRO_INVALIDO, frase)])


class _Tabla:
    """Lo contado, por intervalo y grupo; y los usuarios de cada intervalo, si se pidieron."""

    def __init__(
        self, contadas: Collection[Contada], usuarios: Sequence[Usuarios], pedido: PedidoDeInforme
    ) -> None:
        self._usuarios = usuarios
        self._bots = pedido.bots
        self._celdas: defaultdict[tuple[int, Grupo], dict[Clave, Cuenta]] = defaultdict(dict)
        columnas = [Contada._fields.index(dimension.value) for dimension in pedido.por]
        for contada in contadas:
            # Por su lugar: pueden ser cien mil, y así se tarda la mitad.
            grupo = tuple([str(contada[columna]) for columna in columnas])
            celda = self._celdas[contada.intervalo, grupo]
            clave = (contada.tipo, contada.clase, contada.moneda)
            celda[clave] = celda[clave] + contada.cuenta if clave in celda else contada.cuenta
        hallados = {grupo for _, grupo in self._celdas}
        self.grupos: Sequence[Grupo] = sorted(hallados) if pedido.por else [()]

    def fila(
        self, pedido: PedidoDeInforme, desde: int, hasta: int, grupos: Collection[Grupo], grupo: Grupo
    ) -> Fila:
        """La de esos intervalos y grupos juntos."""
        propias = self._metricas(range(desde, hasta), grupos)
        comparado = None
        if pedido.comparados:
            corrido = len(pedido.intervalos)
            antes = self._metricas(range(corrido + desde, corrido + hasta), grupos)
            comparado = Comparado(
                _juntos(pedido.comparados[desde:hasta]),
                antes,
                Cambio(propias, antes),
                self._usuarios_de(corrido + desde, corrido + hasta),
            )
        usuarios = self._usuarios_de(desde, hasta)
        return Fila(_juntos(pedido.intervalos[desde:hasta]), grupo, propias, comparado, usuarios)

    def _usuarios_de(self, desde: int, hasta: int) -> Usuarios | None:
        return Usuarios.juntos(self._usuarios[desde:hasta]) if self._usuarios else None

    def _metricas(self, lugares: range, grupos: Collection[Grupo]) -> Metricas:
        celdas = [
            celda for lugar in lugares for grupo in grupos if (celda := self._celdas.get((lugar, grupo)))
        ]
        if len(celdas) == 1:
            return metricas(celdas[0], self._bots)
        cuantos: defaultdict[Clave, int] = defaultdict(int)
        diezmilesimas: defaultdict[Clave, int] = defaultdict(int)
        for celda in celdas:
            for clave, cuenta in celda.items():
                cuantos[clave] += cuenta.cuantos
                diezmilesimas[clave] += cuenta.diezmilesimas
        juntas = {clave: Cuenta(suyos, diezmilesimas[clave]) for clave, suyos in cuantos.items()}
        return metricas(juntas, self._bots)


def _juntos(intervalos: Sequence[Intervalo]) -> Intervalo:
    primero, ultimo = intervalos[0], intervalos[-1]
    return primero if primero is ultimo else Intervalo(primero.desde, ultimo.hasta)
