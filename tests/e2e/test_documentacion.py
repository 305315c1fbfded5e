"""`/docs` en un navegador de verdad y sin internet: lo que se ve y lo que se puede probar desde ella."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx2
import pytest

from tests.apoyo.espera import hasta
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, descripcion
from tests.apoyo.navegador import CHROMIUM, Pestaña, pestaña
from tests.apoyo.servidor import servidor

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="falta Chromium (paquete chromium)")

LISTAR = "/tracking/campa%C3%B1as/{campaña_id}"
RUTAS: Any = descripcion()["paths"]
OPERACIONES = sorted(
    (metodo.upper(), ruta.replace("/campañas/", "/campa%C3%B1as/"))
    for ruta, metodos in RUTAS.items()
    for metodo in metodos
)

LEER_OPERACIONES = """
[...document.querySelectorAll(".opblock-summary")].map((resumen) => [
  resumen.querySelector(".opblock-summary-method").innerText,
  resumen.querySelector(".opblock-summary-path").dataset.path,
])
"""

# Lo que hace una persona: abrir la operación, «Try it out», rellenar, «Execute» y leer la respuesta.
PROBAR = """
(async (metodo, ruta, cuerpo, valores) => {
  const hasta = async (condicion) => {
    for (;;) {
      const valor = condicion();
      if (valor) return valor;
      await new Promise((seguir) => setTimeout(seguir, 20));
    }
  };
  const operacion = [...document.querySelectorAll(".opblock-" + metodo.toLowerCase())].find(
    (bloque) => bloque.querySelector(".opblock-summary-path").dataset.path === ruta
  );
  operacion.querySelector(".opblock-summary-control").click();
  (await hasta(() => operacion.querySelector(".try-out__btn"))).click();
  const ejecutar = await hasta(() => operacion.querySelector(".execute"));
  const escribir = (campo, texto) => {
    // React solo se entera de lo que se escribe con el mecanismo original del elemento.
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(campo), "value").set.call(campo, texto);
    campo.dispatchEvent(new Event("input", { bubbles: true }));
    campo.dispatchEvent(new Event("focusout", { bubbles: true }));
  };
  for (const [nombre, valor] of Object.entries(valores)) {
    escribir(operacion.querySelector(`tr[data-param-name="${nombre}"] input`), valor);
  }
  if (cuerpo) escribir(operacion.querySelector("textarea.body-param__text"), cuerpo);
  ejecutar.click();
  const recibida = ".live-responses-table .response .response-col_";
  const codigo = await hasta(() => operacion.querySelector(recibida + "status"));
  return [codigo.innerText.trim(), operacion.querySelector(recibida + "description pre").innerText];
})
"""


class Mostrada(NamedTuple):
    """Lo que la página muestra de una respuesta."""

    codigo: str
    cuerpo: str


def probar(pagina: Pestaña, metodo: str, ruta: str, cuerpo: str = "", **valores: str) -> Mostrada:
    """Prueba una operación desde la página, con los valores de los ejemplos o con esos."""
    argumentos = ", ".join(map(json.dumps, (metodo, ruta, cuerpo, valores)))
    return Mostrada(*pagina.evaluar(f"{PROBAR}({argumentos})"))


@pytest.fixture
def direccion() -> Iterator[str]:
    with servidor(api_en_memoria(PuertosEnMemoria())) as puerto:
        yield f"http://127.0.0.1:{puerto}"


@pytest.fixture(scope="module")
def navegador(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pestaña]:
    with pestaña(tmp_path_factory.mktemp("navegador") / "perfil") as abierta:
        yield abierta


@pytest.fixture
def pagina(direccion: str, navegador: Pestaña) -> Pestaña:
    navegador.ir(f"{direccion}/docs")
    hasta(lambda: len(navegador.evaluar(LEER_OPERACIONES)) == len(OPERACIONES))
    return navegador


def test_la_pagina_muestra_cada_operacion_sin_pedir_nada_fuera_ni_que_se_le_prohiba_nada(
    pagina: Pestaña, direccion: str
) -> None:
    assert sorted(tuple(operacion) for operacion in pagina.evaluar(LEER_OPERACIONES)) == OPERACIONES
    assert [pedida for pedida in pagina.pedidas if not pedida.startswith((f"{direccion}/", "data:"))] == []
    assert pagina.quejas == []


# Cada una aparte: juntas, en una máquina cargada no caben en el plazo de una prueba. Las de un postback piden
# una clave de las suyas: sin ninguna, como aquí, no hay nada en su dirección.
@pytest.mark.parametrize(
    ("metodo", "ruta"), [operacion for operacion in OPERACIONES if "/postback/" not in operacion[1]]
)
def test_cada_operacion_se_puede_probar_con_los_ejemplos_que_trae(
    pagina: Pestaña, direccion: str, metodo: str, ruta: str
) -> None:
    for enviada in ("/tracking/impresiones", "/tracking/conversiones"):
        # Lo demás pregunta por lo que envían.
        ejemplos = RUTAS[enviada]["post"]["requestBody"]["content"]["application/json"]["examples"]
        cuerpo = next(iter(ejemplos.values()))["value"]
        assert httpx2.post(f"{direccion}{enviada}", json=cuerpo).status_code == httpx2.codes.ACCEPTED
    nuevo = RUTAS["/tracking/enlaces"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert httpx2.post(f"{direccion}/tracking/enlaces", json=next(iter(nuevo.values()))["value"]).is_success
    # Lo que se mira en vivo acaba: en esta API no hay tópicos que leer.
    assert probar(pagina, metodo, ruta).codigo.startswith("2")
    assert pagina.quejas == []


@pytest.mark.parametrize("clase", ["impresiones", "conversiones"])
def test_desde_la_pagina_se_envia_el_ejemplo_y_se_lee_lo_enviado(pagina: Pestaña, clase: str) -> None:
    assert probar(pagina, "POST", f"/tracking/{clase}").codigo == "202"
    assert probar(pagina, "GET", f"/tracking/{clase}/{{id}}").codigo == "200"
    assert probar(pagina, "GET", f"{LISTAR}/{clase}").codigo == "200"
    assert pagina.quejas == []


def test_la_pagina_codifica_el_id_que_se_le_da(pagina: Pestaña, direccion: str) -> None:
    assert probar(pagina, "GET", "/tracking/impresiones/{id}", id="FV/2024/001 ñ?#%").codigo == "404"
    assert f"{direccion}/tracking/impresiones/FV%2F2024%2F001%20%C3%B1%3F%23%25" in pagina.pedidas


@pytest.mark.parametrize("importe", ["99999999999999.99", "150000.00", "0.10"])
def test_la_pagina_envia_y_muestra_el_dinero_digito_por_digito(pagina: Pestaña, importe: str) -> None:
    venta = f'{{"id": "conv-123", "campaña_id": "cmp-456", "tipo_conversion": "VENTA", "valor": {importe}'
    enviada = probar(pagina, "POST", "/tracking/conversiones", cuerpo=f'{venta}, "moneda": "COP"}}')
    assert enviada.codigo == "202", enviada
    for ruta in ("/tracking/conversiones/{id}", f"{LISTAR}/conversiones"):
        assert f'"valor": {importe},\n' in probar(pagina, "GET", ruta).cuerpo
    assert pagina.quejas == []


def test_un_navegador_que_no_conserva_los_digitos_muestra_el_texto_como_llego(
    pagina: Pestaña, direccion: str
) -> None:
    assert probar(pagina, "POST", "/tracking/conversiones").codigo == "202"
    llegado = httpx2.get(f"{direccion}/tracking/conversiones/conv-123").text.strip()
    pagina.evaluar("delete JSON.rawJSON")
    assert probar(pagina, "GET", "/tracking/conversiones/{id}").cuerpo.strip() == llegado
