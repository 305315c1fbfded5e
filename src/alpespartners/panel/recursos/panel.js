// Lo que el panel hace en el navegador. Sin él, toda vista se lee y se usa igual.
"use strict";
