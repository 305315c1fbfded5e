"""El recuento: compara las cuentas de los informes con las filas del libro, y las corrige.

Qué es: un recorrido de todas las campañas por trechos de semanas seguidas. De cada trecho se agregan las
filas como cada una de las cinco tablas, y se compara clave a clave; y sus usuarios, día a día
(`recuento_de_usuarios.py`).
Qué no es: un cierre; los consumidores siguen registrando mientras tanto. Tampoco borra cuentas: lo que sobra
se resta, y una clave a cero no se ve.
Por qué existe: un informe vale lo que valga su cuenta, y otra mano pudo tocar una tabla y no la otra.

Una fila y su cuenta entran en la misma transacción. Por eso lo que las separa no cambia mientras otros
registran, y en una sola instantánea se ve exacto: basta sumarlo. Se halla otra vez en la transacción que lo
suma, y siempre en el mismo fragmento, que no es de ningún consumidor: dos recuentos a la vez escribirían las
mismas filas y, en una transacción que lee de una instantánea, el segundo falla y vuelve a mirar. Un cerrojo
habría que tenerlo desde antes de leer hasta después de escribir, y en cada motor de una manera.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, FromClause, Select, Table, case, func, select

from alpespartners.modulos.informes.dominio.cuenta import PARTE_BAJA, Cuenta
from alpespartners.modulos.informes.dominio.diferencia import Diferencia, DiferenciaDeUsuarios
from alpespartners.modulos.informes.dominio.intervalos import TRAMO, UN_DIA, UNA_SEMANA, comienzo_en_utc
from alpespartners.modulos.informes.infraestructura.recuento_de_usuarios import (
    UsuariosDistintos,
    comparar_usuarios,
    corregir_usuarios,
)
from alpespartners.modulos.informes.infraestructura.tablas import (
    CUENTAS,
    METADATOS,
    PROCEDENCIAS,
    SUMADAS,
    cuentas_por_procedencia,
    cuentas_por_tramo,
)
from alpespartners.modulos.informes.infraestructura.trechos import Trecho
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.sql.agregados import comienzo_del_tramo, sumas_en_partes
from alpespartners.seedwork.sql.sentencias import acumular, motor_de

T = TypeVar("T")
Clave = tuple[Any, ...]
Cuentas = Mapping[Clave, Cuenta]
"""Las de una tabla, por su clave sin el fragmento."""

_SIN_DATO: Final = ""
FRAGMENTO_DE_CORRECCIONES: Final = -1
"""El de las correcciones; los de los consumidores empiezan en 0."""
_EVENTOS_POR_PIEZA: Final = 50_000
_COSTE_DE_UN_TRECHO: Final = 500
"""A cuántos eventos equivale mirar un trecho, aunque no tenga ninguno."""


class EnTransaccion(Protocol):
    """Ejecuta un trabajo en una transacción que lo lee todo de una sola instantánea."""

    def __call__(self, trabajo: Callable[[Connection], T]) -> T:
        """Ejecuta el trabajo, quizá varias veces: la última es la que vale.

        Raises:
            ErrorDeArranque: no se puede escribir mientras vivan otros procesos.
            NoHuboManera: lo que se iba a corregir cambió cada vez que se intentó.
        """


class NoHuboManera(Exception):
    """Un trecho no se pudo corregir: se escribe en él sin parar. Los demás, quizá; y repetirlo es seguro."""


class _Hallada(NamedTuple):
    tabla: Table
    clave: Clave
    contada: Cuenta
    hay: Cuenta

    @property
    def diferencia(self) -> Diferencia:
        """Lo que se dice de ella."""
        campos: dict[str, Any] = {
            columna.name: dato for columna, dato in zip(_claves(self.tabla), self.clave, strict=True)
        }
        desde = campos.pop(_instante(self.tabla).name)
        return Diferencia(
            tabla=str(self.tabla.name), desde=desde, contada=self.contada, hay=self.hay, **campos
        )


_Distinta = _Hallada | UsuariosDistintos


class _Pieza(NamedTuple):
    """Lo que se comparó en una lectura: los trechos que difieren, el último mirado y cuántos eventos."""

    distintos: list[tuple[Trecho, list[_Distinta]]]
    ultimo: Trecho | None
    eventos: int


@dataclass(slots=True)
class Recontado:
    """En qué acabó un recuento.

    Attributes:
        eventos: las filas que se contaron.
        diferencias: las claves que no decían lo que las filas.
        corregidas: cuántas de ellas lo dicen ya.
        impedimento: por qué no se pudo corregir, o no todo, si se quiso y no se pudo.
    """

    eventos: int = 0
    diferencias: int = 0
    corregidas: int = 0
    impedimento: str | None = None


class CuentaIlegible(Exception):
    """Una fila o una cuenta dice lo que este programa no escribe: la cambió otra mano, y repetir no basta."""


class Recuento:
    """Vuelve a contar lo registrado.

    Args:
        hechos: las consultas de las que salen las filas, todas con las mismas columnas.
        leer: ejecuta una lectura.
        escribir: ejecuta una corrección; sin él, solo se compara.
        al_hallar: recibe cada diferencia, después de corregirla si se corrige.
        avanza: recibe qué se está haciendo y cuántos eventos más se han contado.
        eventos_por_pieza: cuántos se leen como mucho en una transacción, salvo que una sola semana tenga más.
    """

    def __init__(
        self,
        hechos: Sequence[Select[Any]],
        *,
        leer: EnTransaccion,
        escribir: EnTransaccion | None,
        al_hallar: Callable[[Diferencia | DiferenciaDeUsuarios], None],
        avanza: Callable[[str, int], None],
        eventos_por_pieza: int = _EVENTOS_POR_PIEZA,
    ) -> None:
        self._hechos: list[FromClause] = [consulta.subquery() for consulta in hechos]
        self._leer = leer
        self._escribir = escribir
        self._al_hallar = al_hallar
        self._avanza = avanza
        self._eventos_por_pieza = eventos_por_pieza

    def recontar(self) -> Recontado:
        """Lo compara todo y, si se le dio con qué, lo corrige.

        Si muere o falla a mitad, lo corregido vale, y repetirlo hace lo que falte.

        Raises:
            CuentaIlegible: no se entiende lo que dice una fila o una cuenta; la frase dice de qué campaña.
        """
        hecho = Recontado()
        ultimo: Trecho | None = None
        while True:
            pieza = self._leer(partial(self._comparar_pieza, ultimo))
            hecho.eventos += pieza.eventos
            self._avanza("recuento", pieza.eventos)
            for trecho, halladas in pieza.distintos:
                for hallada in self._corregidas(trecho, halladas, hecho):
                    hecho.diferencias += 1
                    self._al_hallar(hallada.diferencia)
            if pieza.ultimo is None:
                return hecho
            ultimo = pieza.ultimo

    def _corregidas(self, trecho: Trecho, halladas: list[_Distinta], hecho: Recontado) -> list[_Distinta]:
        """Corrige un trecho y devuelve lo que corrigió; si no se puede, lo que se halló al leer.

        Si al ir a corregir ya no hay nada, lo corrigió otro entretanto, o una vez anterior que no lo supo.
        """
        if self._escribir is None:
            return halladas
        try:
            corregidas = self._escribir(partial(self._corregir, trecho)) or halladas
        except ErrorDeArranque as impedimento:
            hecho.impedimento = str(impedimento)
            self._escribir = None
            return halladas
        except NoHuboManera as ocupado:
            # Lo que viene detrás no tiene la culpa.
            hecho.impedimento = str(ocupado)
            return halladas
        hecho.corregidas += len(corregidas)
        return corregidas

    def _comparar_pieza(self, ultimo: Trecho | None, conexion: Connection) -> _Pieza:
        distintos: list[tuple[Trecho, list[_Distinta]]] = []
        eventos = coste = 0
        while coste < self._eventos_por_pieza:
            ultimo = self._siguiente(conexion, ultimo)
            if ultimo is None:
                break
            halladas, suyos = self._comparar(conexion, ultimo)
            if halladas:
                distintos.append((ultimo, halladas))
            eventos += suyos
            coste += suyos + _COSTE_DE_UN_TRECHO
        return _Pieza(distintos, ultimo, eventos)

    def _corregir(self, trecho: Trecho, conexion: Connection) -> list[_Distinta]:
        halladas, _ = self._comparar(conexion, trecho)
        for tabla in CUENTAS:
            faltan = [
                (*hallada.clave, FRAGMENTO_DE_CORRECCIONES, *(hallada.hay - hallada.contada).partes())
                for hallada in halladas
                if isinstance(hallada, _Hallada) and hallada.tabla is tabla
            ]
            with _entendiendo(trecho.campana_id):
                acumular(conexion, tabla, faltan, SUMADAS)
        for hallada in halladas:
            if isinstance(hallada, UsuariosDistintos):
                corregir_usuarios(conexion, hallada, FRAGMENTO_DE_CORRECCIONES)
        return halladas

    def _siguiente(self, conexion: Connection, ultimo: Trecho | None) -> Trecho | None:
        """El trecho que sigue a ese, o `None` si no hay más."""
        if ultimo is not None and ultimo.hasta is not None:
            return self._trecho(conexion, ultimo.campana_id, ultimo.hasta)
        # De una en una, por el índice de cada tabla: `DISTINCT` las recorrería enteras.
        campanas: list[ColumnElement[Any]] = [
            tabla.c.campana_id for tabla in (*self._hechos, *METADATOS.sorted_tables)
        ]
        siguientes = [
            conexion.scalar(
                select(campana)
                .where(*([] if ultimo is None else [campana > ultimo.campana_id]))
                .order_by(campana)
                .limit(1)
            )
            for campana in campanas
        ]
        campana = min((hallada for hallada in siguientes if hallada is not None), default=None)
        return None if campana is None else self._trecho(conexion, campana, None)

    def _trecho(self, conexion: Connection, campana_id: str, desde: datetime | None) -> Trecho:
        """El que empieza ahí, con un número limitado de eventos: se cuentan por su índice."""
        abierto = Trecho(campana_id, desde, None)
        with _entendiendo(campana_id):
            cortes = [
                conexion.scalar(
                    select(hechos.c.ocurrido_en)
                    .where(*abierto.dentro(hechos, hechos.c.ocurrido_en))
                    .order_by(hechos.c.ocurrido_en)
                    .offset(self._eventos_por_pieza)
                    .limit(1)
                )
                for hechos in self._hechos
            ]
        corte = min((hallado for hallado in cortes if hallado is not None), default=None)
        if corte is None:
            return abierto
        semana = comienzo_en_utc(corte, UNA_SEMANA)
        # Una semana no se parte: una de las tablas la cuenta entera, y otras dos, sus días.
        return abierto._replace(hasta=semana if desde is None or semana > desde else semana + UNA_SEMANA)

    def _comparar(self, conexion: Connection, trecho: Trecho) -> tuple[list[_Distinta], int]:
        """Lo que difiere en un trecho, y cuántos eventos tiene."""
        halladas: list[_Distinta] = []
        eventos = 0
        with _entendiendo(trecho.campana_id):
            for tabla in CUENTAS:
                hay = self._en_las_filas(conexion, tabla, trecho)
                if tabla is cuentas_por_tramo:
                    eventos = sum(cuenta.cuantos for cuenta in hay.values())
                halladas += _distintas(tabla, _contadas(conexion, tabla, trecho), hay)
            halladas += comparar_usuarios(conexion, self._hechos, trecho)
        return halladas, eventos

    def _en_las_filas(self, conexion: Connection, tabla: Table, trecho: Trecho) -> Cuentas:
        """Lo que las filas de un trecho dan para una tabla."""
        cuentas: defaultdict[Clave, Cuenta] = defaultdict(Cuenta)
        for hechos in self._hechos:
            consulta = _agregadas(motor_de(conexion), hechos, _nombres(tabla), trecho)
            for *datos, cuantos, alto, bajo in conexion.execute(consulta):
                cuenta = Cuenta.de_partes(cuantos, int(alto or 0), int(bajo or 0))
                for clave in _en_sus_dimensiones(datos) if tabla is cuentas_por_procedencia else (datos,):
                    cuentas[trecho.campana_id, *clave] += cuenta
        return cuentas


@contextmanager
def _entendiendo(campana_id: str) -> Iterator[None]:
    """Lo que no es un número, o no cabe en los de este programa, no lo escribió él."""
    try:
        yield
    except (ArithmeticError, TypeError, ValueError) as error:
        que = f"una fila o una cuenta que no se entiende ({type(error).__name__})"
        raise CuentaIlegible(f"en la campaña {campana_id} hay {que}") from error


def _distintas(tabla: Table, contadas: Cuentas, hay: Cuentas) -> Iterator[_Hallada]:
    nada = Cuenta()
    for clave in sorted(contadas.keys() | hay.keys()):
        hallada = _Hallada(tabla, clave, contadas.get(clave, nada), hay.get(clave, nada))
        if hallada.contada != hallada.hay:
            yield hallada


def _contadas(conexion: Connection, tabla: Table, trecho: Trecho) -> Cuentas:
    """Lo que dice una tabla de un trecho, sumados sus fragmentos.

    Se suman aquí: lo que otra mano puso en ellos puede no caber en la suma del motor.
    """
    claves = _claves(tabla)
    cuentas: defaultdict[Clave, Cuenta] = defaultdict(Cuenta)
    for *clave, cuantos, alto, bajo in conexion.execute(
        select(*claves, *(tabla.c[nombre] for nombre in SUMADAS)).where(
            *trecho.dentro(tabla, _instante(tabla))
        )
    ):
        cuentas[tuple(clave)] += Cuenta.de_partes(cuantos, alto, bajo)
    return cuentas


def _nombres(tabla: Table) -> list[str]:
    """Por qué se agrupan las filas para una tabla: lo de su clave, sin la campaña."""
    if tabla is cuentas_por_procedencia:
        # De una vez para todas las dimensiones: cada fila se lee, y se descifra su lectura, una sola.
        return ["dia", *PROCEDENCIAS, "tipo", "clase", "moneda"]
    return [columna.name for columna in _claves(tabla)[1:]]


def _en_sus_dimensiones(datos: Sequence[Any]) -> Iterator[Clave]:
    """Las claves de las procedencias que se saben de unas filas agrupadas por todas."""
    dia, *procedencias, tipo, clase, moneda = datos
    for dimension, dato in zip(PROCEDENCIAS, procedencias, strict=True):
        if dato:
            yield dia, dimension, dato, tipo, clase, moneda


def _agregadas(motor: str, hechos: FromClause, nombres: Sequence[str], trecho: Trecho) -> Select[Any]:
    """Las filas de un trecho, agrupadas por eso."""
    columnas = hechos.c
    # Una moneda sin importe no vale nada en ella.
    con_importe = case((columnas.valor.is_not(None), columnas.moneda))
    valores: dict[str, ColumnElement[Any]] = {
        "tramo": comienzo_del_tramo(motor, columnas.ocurrido_en, TRAMO),
        "dia": comienzo_del_tramo(motor, columnas.ocurrido_en, UN_DIA),
        "semana": comienzo_del_tramo(motor, columnas.ocurrido_en, UNA_SEMANA),
        "influencer_id": func.coalesce(columnas.influencer_id, _SIN_DATO),
        "cupon": func.coalesce(columnas.cupon, _SIN_DATO),
        "tipo": columnas.tipo,
        "clase": func.coalesce(columnas.clase, _SIN_DATO),
        "moneda": func.coalesce(con_importe, _SIN_DATO),
        **{nombre: func.coalesce(columnas[nombre], _SIN_DATO) for nombre in PROCEDENCIAS},
    }
    # Aparte: en PostgreSQL, dos expresiones con parámetros no son la misma, y no se podría agrupar por ella.
    suyas = (
        select(*(valores[nombre].label(nombre) for nombre in nombres), columnas.valor)
        .where(*trecho.dentro(hechos, columnas.ocurrido_en))
        .subquery()
    )
    clave = [suyas.c[nombre] for nombre in nombres]
    return select(*clave, func.count(), *sumas_en_partes(motor, suyas.c.valor, PARTE_BAJA)).group_by(*clave)


def _claves(tabla: Table) -> list[Column[Any]]:
    return [columna for columna in tabla.primary_key if columna.name != "fragmento"]


def _instante(tabla: Table) -> Column[Any]:
    """Su tramo, su día o su semana: lo segundo de la clave de todas."""
    return _claves(tabla)[1]
