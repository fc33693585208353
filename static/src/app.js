// What every page has: theme, menus, toasts, search, shortcuts, and the socket where there is a tenant.
import { startAdvice } from "./lib/advice.js";
import { startDraftBar } from "./lib/draftbar.js";
import { startMenus } from "./lib/menus.js";
import { startPalette } from "./lib/palette.js";
import { startShortcuts } from "./lib/shortcuts.js";
import { connect } from "./lib/socket.js";
import { startDensityToggle, startThemeToggle } from "./lib/themetoggle.js";
import { startToasts } from "./lib/toast.js";
import { tenant } from "./lib/page.js";

startThemeToggle();
startDensityToggle();
startToasts();
startMenus();
startAdvice();
if (tenant) {
  startDraftBar();
  startPalette();
  startShortcuts();
  connect(tenant);
}
