package star_test

import (
	"testing"

	"regi/board/port" //nolint:depguard // tests may cross: the real port on a real tty
	"regi/drivers"
	"regi/drivers/drawer"
	"regi/drivers/driverstest"
	"regi/drivers/star"
)

func openAs(model string) func(drivers.Port) (drivers.POSPrinter, error) {
	return func(p drivers.Port) (drivers.POSPrinter, error) { return star.New(p, model) }
}

func openPort(path string) (drivers.Port, error) {
	return port.Open(port.Options{Path: path, Baud: 115200})
}

func TestPrinter(t *testing.T) {
	t.Parallel()
	for _, model := range []string{"star-mc-print3", "star-line"} {
		t.Run(model, func(t *testing.T) {
			driverstest.StarPrinter(t, driverstest.Simulated(), openAs(model))
		})
	}
	t.Run("pty", func(t *testing.T) {
		t.Parallel()
		driverstest.StarPrinter(t, driverstest.Kernel(openPort), openAs("star-tsp654ii"))
	})
}

func TestDrawer(t *testing.T) {
	t.Parallel()
	open := func(model string, pin int) func(p drivers.Port) (drivers.POSPrinter, drivers.CashDrawer, error) {
		return func(p drivers.Port) (drivers.POSPrinter, drivers.CashDrawer, error) {
			printer, err := star.New(p, model)
			if err != nil {
				return nil, nil, err
			}
			return printer, drawer.ViaPrinter(printer, pin), nil
		}
	}
	t.Run("at once", func(t *testing.T) {
		driverstest.StarDrawer(t, driverstest.Simulated(), 2, open("star-mc-print3", 2))
	})
	t.Run("pin 5", func(t *testing.T) {
		driverstest.StarDrawer(t, driverstest.Simulated(), 5, open("star-tsp143iv", 5))
	})
	t.Run("in its turn", func(t *testing.T) {
		driverstest.StarDrawer(t, driverstest.Simulated(), 2, open("star-line", 2))
	})
	t.Run("pty", func(t *testing.T) {
		t.Parallel()
		driverstest.StarDrawer(t, driverstest.Kernel(openPort), 2, open("star-mc-print3", 2))
	})
}
