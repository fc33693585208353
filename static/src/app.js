// What every page has: theme, menus, toasts, search, shortcuts, and the socket where there is a tenant.
import { startBehaviours } from "./lib/behaviours.js";
import { startDraftBar } from "./lib/draft_bar.js";
import { startGuard } from "./lib/guard.js";
import { startMenus } from "./lib/menus.js";
import { startPalette } from "./lib/palette.js";
import { startSignIn } from "./lib/sign_in.js";
import { startPresence } from "./lib/presence.js";
import { startShortcuts } from "./lib/shortcuts.js";
import { connect } from "./lib/socket.js";
import { startDensityToggle, startThemeToggle } from "./lib/display_toggles.js";
import { startToasts } from "./lib/toast.js";
import { tenant } from "./lib/dom.js";

startThemeToggle();
startDensityToggle();
startToasts();
startMenus();
startBehaviours();
startGuard();
if (tenant) {
  startSignIn();
  startDraftBar();
  startPresence();
  startPalette();
  startShortcuts();
  connect(tenant);
}
