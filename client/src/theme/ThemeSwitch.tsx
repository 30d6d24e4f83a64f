import { Moon, Sun, SunMoon } from "lucide-react";
import { IconButton } from "../ui/IconButton";
import { words } from "../words";
import { chooseTheme, themes, useTheme } from "./theme";

const icons = { system: SunMoon, light: Sun, dark: Moon };

export function ThemeSwitch() {
  const theme = useTheme();
  const Icon = icons[theme];
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? "system";
  return (
    <IconButton label={words.theme.next(words.theme[theme])} onClick={() => chooseTheme(next)}>
      <Icon />
    </IconButton>
  );
}
