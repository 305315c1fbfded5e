"""`GET /tracking/campañas/{campaña_id}/informe`: lo que se responde, y lo que se niega con una frase."""

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NoReturn
from urllib.parse import quote

import httpx2
import msgspec
import pytest
from structlog.testing import capture_logs

from alpespartners.api.informes.presentacion import Informe, InformeInfluencer
from alpespartners.modulos.informes.aplicacion.puertos import UsuariosIlegibles
from alpespartners.modulos.informes.dominio.metricas import DEFINICIONES, DEFINICIONES_POR_CLASE
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.dominio.lectura import Lectura
from tests.apoyo.eventos import conversion, impresion
from tests.apoyo.memoria import AHORA, PuertosEnMemoria
from tests.apoyo.procedencias import LECTURAS_DE_PROCEDENCIAS

POR_HORAS_EN_KIRITIMATI = {"zona": "Pacific/Kiritimati", "granularidad": "hora"}
INFORME = f"/tracking/{quote('campañas')}/cmp-456/informe"
DE_INFLUENCER = "/tracking/influencers/inf-789/informe"


def registrar(puertos: PuertosEnMemoria, *eventos: Any) -> None:
    for numero, evento in enumerate(eventos):
        clase = clases.CONVERSIONES if type(evento).__name__ == "Conversion" else clases.IMPRESIONES
        puertos.registrado.libros[clase].eventos[f"{numero}"] = evento


def a_las(texto: str) -> datetime:
    return datetime.fromisoformat(texto).astimezone(UTC)


async def pedir(cliente: httpx2.AsyncClient, **parametros: str) -> dict[str, Any]:
    respuesta = await cliente.get(INFORME, params=parametros)
    assert respuesta.status_code == 200, respuesta.text
    cuerpo: dict[str, Any] = respuesta.json()
    return cuerpo


async def faltas(cliente: httpx2.AsyncClient, **parametros: str) -> dict[str, tuple[str, str]]:
    """Por parámetro, el código y la frase."""
    respuesta = await cliente.get(INFORME, params=parametros)
    assert respuesta.status_code == 422, respuesta.text
    return {falta["campo"]: (falta["codigo"], falta["mensaje"]) for falta in respuesta.json()["errores"]}


async def test_un_dia_de_bogota_tiene_todo_lo_suyo_y_nada_de_sus_vecinos(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    momentos = ["00:00:00", "04:59:59.999999", "05:00:00", "18:59:59", "19:00:00", "23:59:59.999999"]
    registrar(
        puertos,
        *(impresion(timestamp=a_las(f"2024-01-10T{momento}-05:00")) for momento in momentos),
        impresion(timestamp=a_las("2024-01-09T23:59:59.999999-05:00")),
        impresion(timestamp=a_las("2024-01-11T00:00:00-05:00")),
    )
    dia = {"zona": "America/Bogota", "desde": "2024-01-10", "hasta": "2024-01-11"}
    informe = await pedir(cliente, **dia)
    assert [fila["impresiones"] for fila in informe["filas"]] == [len(momentos)]
    assert {clave: informe[clave] for clave in ("desde", "hasta", "desde_utc", "hasta_utc")} == {
        "desde": "2024-01-10T00:00:00-05:00",
        "hasta": "2024-01-11T00:00:00-05:00",
        "desde_utc": "2024-01-10T05:00:00Z",
        "hasta_utc": "2024-01-11T05:00:00Z",
    }
    por_horas = await pedir(cliente, **dia, granularidad="hora")
    assert [hora["impresiones"] for hora in por_horas["filas"]] == [
        {0: 1, 4: 1, 5: 1, 18: 1, 19: 1, 23: 1}.get(hora, 0) for hora in range(24)
    ]


async def test_el_informe_repite_lo_que_se_pidio_y_dice_la_formula_de_cada_metrica(
    cliente: httpx2.AsyncClient,
) -> None:
    pedido = {"granularidad": "SEMANA", "por": "tipo,moneda", "comparar": "ano_anterior", "bots": "excluir"}
    informe = await pedir(cliente, **pedido)
    assert {clave: informe[clave] for clave in ("campaña_id", "zona", *pedido)} == {
        "campaña_id": "cmp-456",
        "zona": "UTC",
        "granularidad": "semana",
        "por": ["tipo", "moneda"],
        "comparar": "año_anterior",
        "bots": "excluir",
    }
    assert a_las(informe["calculado_en"]) == AHORA
    assert informe["definiciones"] == {**DEFINICIONES, **DEFINICIONES_POR_CLASE}
    assert informe["total"].keys() - informe["definiciones"].keys() == {
        "desde",
        "hasta",
        "incompleto",
        "comparacion",
    }


async def test_sin_nada_mas_son_los_treinta_dias_que_acaban_hoy_y_el_de_hoy_esta_incompleto(
    cliente: httpx2.AsyncClient,
) -> None:
    informe = await pedir(cliente)
    assert (informe["desde"], informe["hasta"]) == ("2023-12-17T00:00:00Z", "2024-01-16T00:00:00Z")
    assert [fila["incompleto"] for fila in informe["filas"]] == [False] * 29 + [True]
    assert informe["total"]["incompleto"]
    # En Kiritimati ya es mañana.
    alli = await pedir(cliente, zona="Pacific/Kiritimati")
    assert alli["hasta"] == "2024-01-17T00:00:00+14:00"
    hasta_entonces = await pedir(cliente, hasta="2024-01-10T12:00:00Z")
    assert hasta_entonces["desde"] == "2023-12-12T00:00:00Z"
    assert len(hasta_entonces["filas"]) == 30


async def test_una_campaña_sin_eventos_da_ceros(cliente: httpx2.AsyncClient) -> None:
    informe = await pedir(cliente, desde="2024-01-10", hasta="2024-01-12")
    ningunas = dict.fromkeys(["VENTA", "REGISTRO", "SUSCRIPCION", "DESCARGA", "FORMULARIO", "OTRA"], 0)
    assert informe["filas"][1] == {
        "desde": "2024-01-11T00:00:00Z",
        "hasta": "2024-01-12T00:00:00Z",
        "incompleto": False,
        "impresiones": 0,
        "clics": 0,
        "visualizaciones": 0,
        "conversiones": ningunas,
        "valor": {},
        "clics_por_clase": dict.fromkeys(["UNICO", "REPETIDO", "INVALIDO", "BOT", "SIN_LEER"], 0),
        "bots": {"impresiones": 0, "clics": 0, "visualizaciones": 0, "conversiones": ningunas, "valor": {}},
        "ctr": {"valor": None, "numerador": 0, "denominador": 0},
        "tasa_conversion": {"valor": None, "numerador": 0, "denominador": 0},
        "ticket_medio": {},
        "valor_por_clic": {},
    }


async def test_el_dinero_va_por_moneda_con_sus_decimales_y_todas_sus_cifras(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    cuando: dict[str, Any] = {"timestamp": a_las("2024-01-10T12:00:00Z")}
    registrar(
        puertos,
        *(conversion(valor=Decimal("99999999999999.99"), moneda="COP", **cuando) for _ in range(3)),
        conversion(valor=Decimal(500), moneda="JPY", **cuando),
        conversion(valor=Decimal("0.0001"), moneda="CLF", **cuando),
        impresion(tipo_evento="CLIC", **cuando),
        impresion(tipo_evento="CLIC", **cuando),
    )
    total = (await pedir(cliente))["total"]
    assert total["valor"] == {"CLF": "0.0001", "COP": "299999999999999.97", "JPY": "500"}
    assert total["ticket_medio"]["COP"] == {
        "valor": "99999999999999.990000",
        "numerador": "299999999999999.97",
        "denominador": 3,
    }
    assert total["valor_por_clic"]["JPY"] == {"valor": "250.000000", "numerador": "500", "denominador": 2}
    assert total["tasa_conversion"] == {"valor": "2.500000", "numerador": 5, "denominador": 2}


async def test_los_robots_van_siempre_aparte_y_en_lo_demas_si_no_se_excluyen(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    cuando: dict[str, Any] = {"timestamp": a_las("2024-01-10T12:00:00Z")}
    clases_de_clic = [None, "UNICO", "REPETIDO", "INVALIDO", "BOT"]
    clic, venta = impresion(tipo_evento="CLIC", **cuando), conversion(**cuando)
    leidas = [Lectura(reglas="1", clase=clase) for clase in clases_de_clic]
    de_robot = conversion(valor=Decimal("0.10"), moneda="USD", **cuando)
    registrar(
        puertos,
        *(replace(clic, lectura=lectura) for lectura in leidas),
        clic,
        venta,
        replace(de_robot, lectura=Lectura(reglas="1", bot=True)),
    )
    con = (await pedir(cliente))["total"]
    sin = (await pedir(cliente, bots="excluir"))["total"]
    assert (con["clics"], con["conversiones"]["VENTA"]) == (6, 2)
    assert con["valor"] == {"COP": "150000.00", "USD": "0.10"}
    assert con["clics_por_clase"] == {"UNICO": 1, "REPETIDO": 1, "INVALIDO": 1, "BOT": 1, "SIN_LEER": 2}
    assert con["tasa_conversion"]["valor"] == "0.333333"
    assert (sin["clics"], sin["conversiones"]["VENTA"], sin["valor"]) == (5, 1, {"COP": "150000.00"})
    assert sin["clics_por_clase"] == {**con["clics_por_clase"], "BOT": 0}
    assert sin["tasa_conversion"]["valor"] == "0.200000"
    assert sin["bots"] == con["bots"]
    assert (sin["bots"]["clics"], sin["bots"]["conversiones"]["VENTA"]) == (1, 1)
    assert sin["bots"]["valor"] == {"USD": "0.10"}
    por_clase = await pedir(cliente, bots="excluir", por="clase", granularidad="total")
    assert {fila["clase"]: fila["clics"] for fila in por_clase["filas"]} == {
        None: 2,
        "BOT": 0,
        "INVALIDO": 1,
        "REPETIDO": 1,
        "UNICO": 1,
    }


async def test_por_separa_cada_intervalo_y_lo_que_no_tiene_va_con_null(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    cuando: dict[str, Any] = {"timestamp": a_las("2024-01-10T12:00:00Z")}
    registrar(
        puertos,
        conversion(cupon="VERANO", influencer_id="a", **cuando),
        conversion(cupon=None, influencer_id=None, **cuando),
        impresion(influencer_id="a", **cuando),
    )
    dia = {"desde": "2024-01-10", "hasta": "2024-01-11"}
    filas = (await pedir(cliente, **dia, por="cupon,influencer_id"))["filas"]
    assert [
        (f["cupon"], f["influencer_id"], f["impresiones"], f["conversiones"]["VENTA"]) for f in filas
    ] == [
        (None, None, 0, 1),
        (None, "a", 1, 0),
        ("VERANO", "a", 0, 1),
    ]
    filas = (await pedir(cliente, **dia, zona="America/Bogota", por="moneda"))["filas"]
    assert [(fila["moneda"], fila["valor"]) for fila in filas] == [(None, {}), ("COP", {"COP": "300000.00"})]
    assert "influencer_id" not in filas[0]
    repetida = await pedir(cliente, **dia, por="tipo,tipo")
    assert (repetida["por"], len(repetida["filas"])) == (["tipo"], 2)


@pytest.mark.parametrize(
    ("por", "grupos"),
    [
        ("red", {None: 1, "google": 1, "instagram": 2}),
        ("dispositivo", {None: 2, "escritorio": 1, "movil": 1}),
        ("pais", {None: 2, "CO": 1, "ES": 1}),
        ("robot", {None: 3, "agente_de_robot": 1}),
    ],
)
async def test_por_una_procedencia_lo_que_no_se_sabe_de_donde_vino_va_con_null(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, por: str, grupos: dict[str | None, int]
) -> None:
    cuando = a_las("2024-01-10T12:00:00Z")
    leidas = [None, *LECTURAS_DE_PROCEDENCIAS[:3]]
    registrar(puertos, *(replace(impresion(timestamp=cuando), lectura=lectura) for lectura in leidas))
    informe = await pedir(cliente, desde="2024-01-10", hasta="2024-01-11", por=f"{por},tipo")
    assert {fila[por]: fila["impresiones"] for fila in informe["filas"]} == grupos
    assert (informe["por"], informe["total"]["impresiones"]) == ([por, "tipo"], 4)


@pytest.mark.parametrize("por", ["red,pais", "robot,tipo,dispositivo", "influencer_id,red", "pais,cupon"])
async def test_dos_procedencias_o_una_con_influencer_o_cupon_se_niegan_y_se_dice_que_pedir(
    cliente: httpx2.AsyncClient, por: str
) -> None:
    assert await faltas(cliente, por=por) == {
        "por": (
            "parametro_invalido",
            (
                "red, dispositivo, pais y robot se cuentan cada uno por su lado, y sin separar influencers "
                "ni cupones; pida uno solo, si quiere con tipo, clase y moneda"
            ),
        )
    }


async def test_comparar_añade_a_cada_fila_y_al_total_lo_de_antes_y_cuanto_cambio(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    registrar(
        puertos,
        *(impresion(timestamp=a_las(f"2024-01-0{dia}T12:00:00Z")) for dia in (6, 6, 6, 6, 7, 8)),
        conversion(timestamp=a_las("2024-01-08T12:00:00Z")),
    )
    informe = await pedir(cliente, desde="2024-01-08", hasta="2024-01-10", comparar="periodo_anterior")
    hoy = informe["filas"][0]["comparacion"]
    assert (hoy["desde"], hoy["hasta"], hoy["impresiones"]) == (
        "2024-01-06T00:00:00Z",
        "2024-01-07T00:00:00Z",
        4,
    )
    assert (hoy["diferencia"]["impresiones"], hoy["variacion"]["impresiones"]) == (-3, "-0.750000")
    assert hoy["diferencia"]["valor"] == {"COP": "150000.00"}
    assert (hoy["variacion"]["valor"], hoy["variacion"]["conversiones"]["VENTA"]) == ({"COP": None}, None)
    total = informe["total"]["comparacion"]
    assert (total["impresiones"], total["variacion"]["impresiones"]) == (5, "-0.800000")


async def test_lo_que_no_se_entiende_se_dice_todo_a_la_vez(cliente: httpx2.AsyncClient) -> None:
    halladas = await faltas(
        cliente,
        desde="ayer",
        hasta="2024-02-30",
        zona="Bogota",
        granularidad="año",
        por="país",
        comparar="x",
        bots="no",
    )
    assert halladas == {
        "desde": (
            "parametro_invalido",
            "debe ser una fecha, como 2024-01-15, o RFC 3339 con zona, como 2024-01-15T10:30:00Z",
        ),
        "hasta": ("parametro_invalido", "no es una fecha que exista"),
        "zona": (
            "parametro_invalido",
            "debe ser una zona de la IANA, como America/Bogota, o UTC; ¿America/Bogota?",
        ),
        "granularidad": ("parametro_invalido", "debe ser hora, dia, semana, mes o total"),
        "por": (
            "parametro_invalido",
            "debe ser influencer_id, tipo, clase, moneda, cupon, red, dispositivo, pais o robot",
        ),
        "comparar": (
            "parametro_invalido",
            "debe ser periodo_anterior, semana_anterior, año_anterior o dia_semana",
        ),
        "bots": ("parametro_invalido", "debe ser incluir o excluir"),
    }


@pytest.mark.parametrize(
    ("parametros", "campo", "codigo", "frase"),
    [
        (
            {"incluir": "usuarios_unicos", "bots": "excluir"},
            "incluir",
            "parametro_invalido",
            "se guardan con los de los robots; pida bots=incluir, o quite usuarios_unicos",
        ),
        ({"desde": "2024-02-01", "hasta": "2024-01-01"}, "desde", "parametro_invalido", "anterior a hasta"),
        ({"desde": "2024-01-01", "hasta": "2024-01-01"}, "desde", "parametro_invalido", "anterior a hasta"),
        ({"desde": "2024-05-01"}, "desde", "parametro_invalido", "anterior a hasta"),
        ({"desde": "1969-12-31"}, "desde", "parametro_invalido", "debe estar entre 1970-01-01 y 2100-01-01"),
        ({"hasta": "9999-12-31T23:59:59-23:59"}, "hasta", "parametro_invalido", "no es una fecha que exista"),
        ({"hasta": "0001-01-01", "zona": "Asia/Tokyo"}, "hasta", "parametro_invalido", "debe estar entre"),
        (
            {"desde": "2024-01-01T00:00:00 02:00"},
            "desde",
            "parametro_invalido",
            "en una URL, el + se escribe %2B",
        ),
        ({"desde": "2024-01-01T00:00:00"}, "desde", "parametro_invalido", "con zona"),
        (
            {"desde": "2014-01-01", "hasta": "2024-01-01", "granularidad": "hora"},
            "granularidad",
            "parametro_invalido",
            "son unos 87.648 intervalos y caben 1.000; pida granularidad=semana o un periodo menor",
        ),
        (
            {"desde": "2023-01-01", "hasta": "2024-01-01", "granularidad": "hora"},
            "granularidad",
            "parametro_invalido",
            "son unos 8.760 intervalos y caben 1.000; pida granularidad=dia o un periodo menor",
        ),
        (
            {"desde": "1970-01-01", "hasta": "2100-01-01", "granularidad": "mes"},
            "granularidad",
            "parametro_invalido",
            "son unos 1.560 intervalos y caben 1.000; pida granularidad=total o un periodo menor",
        ),
        (
            {"desde": "2024-01-01T00:07:30Z"},
            "desde",
            "sin_respuesta_exacta",
            "cuartos enteros; pida 2024-01-01T00:00:00Z o 2024-01-01T00:15:00Z",
        ),
        (
            {"desde": "2010-11-07", "hasta": "2010-11-09", "zona": "America/St_Johns"},
            "desde",
            "sin_respuesta_exacta",
            "el reloj volvió al día anterior",
        ),
        (
            {"limite": "3"},
            "limite",
            "parametro_desconocido",
            "los que hay: bots, comparar, desde, formato, granularidad",
        ),
        ({"zona": "x" * 5_000}, "zona", "parametro_invalido", "debe ser una zona de la IANA"),
        ({"zona": "../../etc/passwd"}, "zona", "parametro_invalido", "debe ser una zona de la IANA"),
        ({"zona": "Europe/Madird"}, "zona", "parametro_invalido", "¿Europe/Madrid"),
        ({"zona": "localtime"}, "zona", "parametro_invalido", "debe ser una zona de la IANA"),
        ({"zona": "utc"}, "zona", "parametro_invalido", "¿UTC?"),
        ({"zona": "america/bogota"}, "zona", "parametro_invalido", "¿America/Bogota?"),
        ({"por": "tipo,"}, "por", "parametro_invalido", "debe ser influencer_id"),
        (
            {"desde": "2011-12-30", "hasta": "2011-12-31", "zona": "Pacific/Apia"},
            "desde",
            "parametro_invalido",
            "anterior a hasta; en Pacific/Apia los dos son 2011-12-30T10:00:00+00:00",
        ),
        (
            {"desde": "2010-03-05", "hasta": "2010-03-06", "zona": "Antarctica/Casey"},
            "desde",
            "sin_respuesta_exacta",
            "el reloj volvió al día anterior",
        ),
        (
            {"desde": "1975-01-01T00:00:00Z", "hasta": "1975-01-02T00:00:00Z", **POR_HORAS_EN_KIRITIMATI},
            "granularidad",
            "sin_respuesta_exacta",
            "las horas de Pacific/Kiritimati no empezaban en un cuarto de hora de UTC",
        ),
        (
            {
                "desde": "1970-01-01",
                "zona": "America/Bogota",
                "granularidad": "mes",
                "comparar": "dia_semana",
            },
            "comparar",
            "sin_respuesta_exacta",
            "empezaría antes de 1970; pida un desde posterior",
        ),
    ],
)
async def test_lo_que_no_se_puede_responder_se_niega_y_se_dice_que_pedir(
    cliente: httpx2.AsyncClient, parametros: dict[str, str], campo: str, codigo: str, frase: str
) -> None:
    halladas = await faltas(cliente, **parametros)
    assert halladas.keys() == {campo}
    assert halladas[campo][0] == codigo
    assert frase in halladas[campo][1]


async def test_las_filas_que_no_caben_se_cuentan_y_se_niegan(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    cuando = a_las("2024-01-10T12:00:00Z")
    registrar(puertos, *(impresion(influencer_id=f"inf-{numero}", timestamp=cuando) for numero in range(334)))
    halladas = await faltas(cliente, por="influencer_id")
    assert halladas["por"] == (
        "parametro_invalido",
        (
            "son 10.020 filas, 30 intervalos por 334 grupos, y caben 10.000; pida granularidad=total, menos "
            "dimensiones o un periodo menor"
        ),
    )
    assert len((await pedir(cliente, por="influencer_id", granularidad="total"))["filas"]) == 334


async def test_mil_intervalos_y_diez_mil_filas_caben(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    cuando = a_las("2024-01-10T12:00:00Z")
    registrar(puertos, *(impresion(influencer_id=f"inf-{numero}", timestamp=cuando) for numero in range(10)))
    mil_dias = {"desde": "2022-01-01", "hasta": "2024-09-27"}
    assert len((await pedir(cliente, **mil_dias, por="influencer_id"))["filas"]) == 10_000
    un_dia_mas = await faltas(cliente, desde="2022-01-01", hasta="2024-09-28")
    assert "caben 1.000" in un_dia_mas["granularidad"][1]


async def test_el_año_anterior_se_pide_con_una_ñ_de_uno_o_de_dos_caracteres(
    cliente: httpx2.AsyncClient,
) -> None:
    for nombre in ("año_anterior", unicodedata.normalize("NFD", "año_anterior")):
        assert (await pedir(cliente, comparar=nombre))["comparar"] == "año_anterior"


async def test_sin_base_de_datos_se_dice_cuando_volver(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.hay_base_de_datos = False
    respuesta = await cliente.get(INFORME)
    assert (respuesta.status_code, respuesta.headers["Retry-After"]) == (503, "5")


async def test_la_campaña_se_escribe_con_eñe_o_sin_ella(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    registrar(puertos, impresion(timestamp=AHORA - timedelta(hours=1)))
    con, sin = [await cliente.get(ruta) for ruta in (INFORME, "/tracking/campanas/cmp-456/informe")]
    assert con.json() == sin.json()
    assert con.json()["total"]["impresiones"] == 1


@pytest.mark.parametrize("forma", [Informe, InformeInfluencer])
def test_el_ejemplo_es_un_informe(forma: type[Informe] | type[InformeInfluencer]) -> None:
    (ejemplo,) = forma.ejemplos
    leido = msgspec.convert(ejemplo, forma)
    assert leido.definiciones == {**DEFINICIONES, **DEFINICIONES_POR_CLASE}
    assert sum(fila.impresiones for fila in leido.filas) == leido.total.impresiones


# Usuarios únicos

DOS_DIAS = {"desde": "2024-01-10", "hasta": "2024-01-12", "incluir": "usuarios_unicos"}


def _exactos(cuantos: int, eventos: int) -> dict[str, Any]:
    return {
        "valor": cuantos,
        "exacto": True,
        "error_relativo": "0.000000",
        "minimo": cuantos,
        "maximo": cuantos,
        "aditivo": False,
        "eventos_con_usuario": eventos,
    }


async def test_los_usuarios_unicos_del_total_no_son_la_suma_de_los_de_cada_dia(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    momentos = {"a": "10T10:00:00Z", "b": "10T11:00:00Z", "c": "11T10:00:00Z"}
    registrar(
        puertos,
        *(impresion(usuario_id=u, timestamp=a_las(f"2024-01-{m}")) for u, m in momentos.items()),
        conversion(usuario_id="a", timestamp=a_las("2024-01-11T23:59:59.999999Z")),
        impresion(usuario_id=None, timestamp=a_las("2024-01-11T10:00:00Z")),
        impresion(usuario_id="b", timestamp=a_las("2024-01-09T10:00:00Z")),
    )
    informe = await pedir(cliente, **DOS_DIAS, comparar="periodo_anterior")
    assert [fila["usuarios_unicos"] for fila in informe["filas"]] == [_exactos(2, 2), _exactos(2, 2)]
    assert informe["total"]["usuarios_unicos"] == _exactos(3, 4)
    assert informe["total"]["comparacion"]["usuarios_unicos"] == _exactos(1, 1)
    assert "no se suman" in informe["definiciones"]["usuarios_unicos"]
    msgspec.convert(informe, Informe)


async def test_con_muchos_usuarios_se_dice_el_error_y_entre_que_limites_estan(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    momento = a_las("2024-01-10T10:00:00Z")
    registrar(puertos, *(impresion(usuario_id=f"usr-{n}", timestamp=momento) for n in range(2_000)))
    unicos = (await pedir(cliente, **DOS_DIAS))["total"]["usuarios_unicos"]
    assert unicos["minimo"] <= 2_000 <= unicos["maximo"]
    assert unicos["minimo"] < unicos["valor"] < unicos["maximo"]
    assert (unicos["exacto"], unicos["error_relativo"], unicos["aditivo"]) == (False, "0.016250", False)
    assert unicos["eventos_con_usuario"] == 2_000


async def test_sin_pedirlos_no_estan(cliente: httpx2.AsyncClient) -> None:
    informe = await pedir(cliente, desde="2024-01-10", hasta="2024-01-11")
    assert "usuarios_unicos" not in informe["total"]
    assert "usuarios_unicos" not in informe["definiciones"]


@pytest.mark.parametrize(
    ("parametros", "codigo", "frase"),
    [
        ({"por": "tipo"}, "parametro_invalido", "quite por, o quite usuarios_unicos"),
        ({"por": "influencer_id"}, "parametro_invalido", "quite por, o quite usuarios_unicos"),
        ({"zona": "America/Bogota"}, "sin_respuesta_exacta", "pida zona=UTC, fechas en desde y hasta"),
        ({"granularidad": "hora"}, "sin_respuesta_exacta", "los usuarios únicos se cuentan por días enteros"),
        ({"desde": "2024-01-10T00:15:00Z"}, "sin_respuesta_exacta", "2024-01-10T00:15:00"),
        ({"incluir": "usuarios"}, "parametro_invalido", "debe ser usuarios_unicos"),
    ],
)
async def test_los_usuarios_que_no_se_guardan_asi_se_niegan_y_se_dice_que_pedir(
    cliente: httpx2.AsyncClient, parametros: dict[str, str], codigo: str, frase: str
) -> None:
    halladas = await faltas(cliente, **{**DOS_DIAS, **parametros})
    assert halladas.keys() == {"incluir"}
    assert halladas["incluir"][0] == codigo
    assert frase in halladas["incluir"][1]


async def test_si_los_usuarios_no_se_entienden_se_dice_una_vez_y_que_hacer_y_lo_demas_se_responde(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ilegibles(campaña_id: str, *_: object) -> NoReturn:
        raise UsuariosIlegibles(campaña_id, a_las("2024-01-10T00:00:00Z"))

    monkeypatch.setattr(puertos, "contar_con_usuarios", ilegibles)
    with capture_logs() as anotado:
        respuesta = await cliente.get(INFORME, params=DOS_DIAS)
    problema = respuesta.json()
    assert (respuesta.status_code, problema["type"]) == (503, "urn:alpespartners:error:usuarios_ilegibles")
    assert int(respuesta.headers["Retry-After"]) > 0
    assert "2024-01-10" in problema["detail"]
    assert "`.venv/bin/alpespartners recontar`" in problema["detail"]
    assert [linea["campaña_id"] for linea in anotado if "usuarios ilegibles" in linea["event"]] == ["cmp-456"]
    assert [linea for linea in anotado if "exc_info" in linea] == []
    await pedir(cliente, desde=DOS_DIAS["desde"], hasta=DOS_DIAS["hasta"])


async def test_el_informe_de_un_influencer_junta_sus_campañas_o_las_separa(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    cuando: dict[str, Any] = {"timestamp": a_las("2024-01-10T12:00:00Z")}
    registrar(
        puertos,
        conversion(campaña_id="a", cupon="VERANO", **cuando),
        impresion(campaña_id="b", tipo_evento="CLIC", **cuando),
        impresion(campaña_id="b", influencer_id="otro", **cuando),
        impresion(campaña_id="c", timestamp=a_las("2024-01-09T23:59:59Z")),
    )
    dia = {"desde": "2024-01-10", "hasta": "2024-01-11"}
    respuesta = await cliente.get(DE_INFLUENCER, params=dia)
    informe = respuesta.json()
    assert [*informe][:2] == ["influencer_id", "zona"]
    assert informe["influencer_id"] == "inf-789"
    assert (informe["total"]["clics"], informe["total"]["valor"]) == (1, {"COP": "150000.00"})
    for campaña in ("campaña_id", "campana_id", unicodedata.normalize("NFD", "campaña_id")):
        respuesta = await cliente.get(DE_INFLUENCER, params={**dia, "por": f"{campaña},cupon"})
        informe = respuesta.json()
        assert informe["por"] == ["campaña_id", "cupon"]
        assert [(fila["campaña_id"], fila["cupon"], fila["clics"]) for fila in informe["filas"]] == [
            ("a", "VERANO", 0),
            ("b", None, 1),
        ]
    comparado = await cliente.get(DE_INFLUENCER, params={**dia, "comparar": "periodo_anterior"})
    assert comparado.json()["total"]["comparacion"]["impresiones"] == 1


async def test_el_informe_de_un_influencer_se_parte_por_las_horas_y_los_dias_de_cualquier_zona(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    registrar(puertos, *(impresion(timestamp=a_las(f"2024-01-10T0{hora}:30:00Z")) for hora in (4, 5, 6)))
    de_bogota = {"zona": "America/Bogota", "desde": "2024-01-09", "hasta": "2024-01-11"}
    dias = await cliente.get(DE_INFLUENCER, params=de_bogota)
    assert [fila["impresiones"] for fila in dias.json()["filas"]] == [1, 2]
    seis = {"desde": "2024-01-10T05:15:00Z", "hasta": "2024-01-10T07:00:00Z", "granularidad": "hora"}
    horas = await cliente.get(DE_INFLUENCER, params=seis)
    assert [fila["impresiones"] for fila in horas.json()["filas"]] == [1, 1]


async def test_de_un_influencer_no_se_separa_por_influencer(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get(DE_INFLUENCER, params={"por": "influencer_id"})
    assert respuesta.status_code == 422, respuesta.text
    (falta,) = respuesta.json()["errores"]
    assert (falta["campo"], falta["codigo"]) == ("por", "parametro_invalido")
    assert "debe ser campaña_id, tipo, clase, moneda o cupon" in falta["mensaje"]


async def test_de_una_campaña_no_se_separa_por_campaña(cliente: httpx2.AsyncClient) -> None:
    assert (await faltas(cliente, por="campaña_id"))["por"] == (
        "parametro_invalido",
        "debe ser influencer_id, tipo, clase, moneda, cupon, red, dispositivo, pais o robot",
    )
