"""Un programa que usa el cliente de Python y el mismo con el de JavaScript, en un proceso aparte."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.apoyo.espera import hasta
from tests.apoyo.repositorio import RAIZ

PYTHON = """
import json, sys
from decimal import Decimal
from alpespartners_cliente import Cliente
direccion, total, mitad, archivo = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
rechazados = []
def rechazar(evento, faltas):
    rechazados.append([evento["id"], faltas[0]["campo"]])
c = Cliente(direccion, archivo=archivo or None, al_rechazar=rechazar)
for n in range(total):
    if n == mitad:
        print("mitad", flush=True)
        sys.stdin.readline()
    if n % 4:
        c.impresion({"id": f"e-{n}", "campaña_id": "c"})
    else:
        venta = {"id": f"e-{n}", "campaña_id": "c", "tipo_conversion": "VENTA", "moneda": "COP"}
        c.conversion(venta if n == 8 else venta | {"valor": Decimal("1000.10")})
pendientes, motivo = c.cerrar(plazo=120)
print(json.dumps({"pendientes": pendientes, "motivo": motivo, "rechazados": rechazados}))
"""

JAVASCRIPT = """
import { once } from "node:events";
import { Cliente } from "%(carpeta)s/cliente.js";
import { ColaEnArchivo } from "%(carpeta)s/archivo.js";
const [, direccion, total, mitad, archivo] = process.argv;
const rechazados = [];
const c = new Cliente({
  direccion,
  cola: archivo ? new ColaEnArchivo(archivo) : undefined,
  alRechazar: (e, [f]) => rechazados.push([e.id, f.campo]),
});
for (let n = 0; n < Number(total); n++) {
  if (n === Number(mitad)) {
    console.log("mitad");
    await once(process.stdin, "data");
  }
  if (n %% 4) c.impresion({ id: `e-${n}`, campaña_id: "c" });
  else {
    const venta = { id: `e-${n}`, campaña_id: "c", tipo_conversion: "VENTA", moneda: "COP" };
    c.conversion(n === 8 ? venta : { ...venta, valor: "1000.10" });
  }
}
process.stdin.destroy();
const { pendientes, motivo } = await c.cerrar(120_000);
console.log(JSON.stringify({ pendientes, motivo, rechazados }));
"""

LENGUAJES = (
    "python",
    pytest.param(
        "javascript",
        marks=pytest.mark.skipif(shutil.which("node") is None, reason="falta Node.js (paquete nodejs)"),
    ),
)
"""Los dos, para parametrizar una prueba."""


class ProgramaDeCliente:
    """Encola eventos `e-0`, `e-1`…: uno de cada cuatro es una venta de 1000.10 COP, y `e-8` una que no vale.

    Args:
        mitad: antes de cuál se detiene hasta `seguir`; -1, de ninguno.
        archivo: el de su cola; si falta, está en memoria.
    """

    def __init__(
        self,
        lenguaje: str,
        direccion: str,
        carpeta: Path,
        *,
        total: int,
        mitad: int = -1,
        archivo: Path | None = None,
        clave: str = "",
    ) -> None:
        orden = [sys.executable, "-c", PYTHON]
        if lenguaje == "javascript":
            codigo = JAVASCRIPT % {"carpeta": (RAIZ / "clientes" / "js").as_uri()}
            orden = ["node", "--input-type=module", "-e", codigo, "--"]
        self._avisos = carpeta / f"avisos-{total}-{mitad}.log"
        with self._avisos.open("wb") as avisos:
            self.proceso = subprocess.Popen(
                [*orden, direccion, str(total), str(mitad), str(archivo or "")],
                env=os.environ | {"PYTHONPATH": str(RAIZ / "clientes" / "python"), "ALPES_CLAVE": clave},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=avisos,
                text=True,
            )

    @property
    def avisos(self) -> str:
        """Lo que el cliente ha avisado hasta ahora."""
        return self._avisos.read_text(encoding="utf-8")

    def esperar_mitad(self) -> None:
        """Vuelve cuando ha encolado los de antes de la mitad."""
        assert self.proceso.stdout is not None
        assert self.proceso.stdout.readline() == "mitad\n", self.avisos

    def seguir(self) -> None:
        """Que encole los demás."""
        assert self.proceso.stdin is not None
        self.proceso.stdin.write("\n")
        self.proceso.stdin.flush()

    def esperar_aviso(self, texto: str) -> None:
        """Vuelve cuando el cliente ha avisado de eso."""
        hasta(lambda: texto in self.avisos)

    def acabar(self) -> dict[str, Any]:
        """Lo que dijo al cerrar; debe acabar bien."""
        dicho, _ = self.proceso.communicate(timeout=180)
        assert self.proceso.returncode == 0, self.avisos
        informe: dict[str, Any] = json.loads(dicho.splitlines()[-1])
        return informe

    def matar(self) -> None:
        """Como `kill -9`."""
        self.proceso.kill()
        self.proceso.communicate(timeout=60)
