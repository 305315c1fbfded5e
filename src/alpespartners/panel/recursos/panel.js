// Lo que el panel hace en el navegador. Sin él, toda vista se lee y se usa igual.
"use strict";

// Copiar: el navegador solo deja a las páginas que llegan por una conexión segura o desde esta máquina.
if (navigator.clipboard) {
  document.documentElement.classList.add("con-portapapeles");
  document.addEventListener("click", async (suceso) => {
    const boton = suceso.target.closest("[data-copiar]");
    if (boton) {
      await navigator.clipboard.writeText(boton.previousElementSibling.textContent);
      boton.textContent = boton.dataset.copiado;
    }
  });
}
// Sesión: lo que htmx pidió y falló se dice en el aviso, hasta que algo vuelve a ir bien.
addEventListener("htmx:sendError", () => {
  const aviso = document.getElementById("aviso");
  aviso.textContent = aviso.dataset.sinRespuesta;
});
addEventListener("htmx:afterRequest", (suceso) => {
  if (suceso.detail.successful) document.getElementById("aviso").replaceChildren();
});
